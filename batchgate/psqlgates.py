"""All gates as one psql script, for whoever has psql and nothing else."""

import re

from batchgate.config import Settings
from batchgate.errors import SuiteError
from batchgate.findings import Level
from batchgate.sqltext import read_sql
from batchgate.suite import Batch, Gate, Suite

COMMAND = "python -m batchgate.gatescript"

_OPENING = """\
-- Every required gate passes; the others say what there is to review.

-- Generated from the files under gates/, which are the ones to edit. To make it again:
-- {command}

\\set ON_ERROR_STOP on
\\set QUIET on
\\set gate_unmet ''

begin transaction isolation level repeatable read read only;
set local search_path = {search_path};
set local row_security = off;
"""

# The verdict is raised by the server, after every gate has run: psql has no command that ends
# a script with an exit code of its own choice. It names gates, never what they found.
_CLOSING = """\
rollback;

\\echo {complete}

select
    :'gate_unmet' <> '' as gate_failed,
    format(
        'begin raise exception using message = %L; end',
        'required gates without a pass: ' || substr(:'gate_unmet', 3)
    ) as gate_verdict
\\gset
\\if :gate_failed
\\set SHOW_CONTEXT never
do :'gate_verdict';
\\endif
"""


def script_batch(suite: Suite) -> Batch:
    """Return the validation-only batch whose script is the gates'."""
    found = [batch for batch in suite.batches if not batch.migration and is_ours(batch)]
    if len(found) == 1:
        return found[0]
    raise SuiteError(
        f"expected one batch whose validation.sql is generated from the gates, found {len(found)}",
        fix="Make one folder without a migration, with an empty validation.sql.",
    )


def is_ours(batch: Batch) -> bool:
    """Return whether the batch's validation is generated, or empty and waiting to be."""
    if not batch.validation:
        return False
    text = read_sql(batch.validation)
    return not text.strip() or COMMAND in text


def gate_script(suite: Suite, batch: Batch, settings: Settings) -> str:
    """Return the text that the batch's validation.sql should have."""
    sections = [_section(gate, suite, settings) for gate in suite.gates]
    complete = _quoted(f"=== BATCH {batch.number} VALIDATION COMPLETE ===")
    opening = _OPENING.format(command=COMMAND, search_path=settings.search_path)
    return "\n".join([opening, *sections, _CLOSING.format(complete=complete)])


def _section(gate: Gate, suite: Suite, settings: Settings) -> str:
    """Return one gate's part: its title, then whichever of the five endings it comes to."""
    return f"""\
-- {settings.relative(gate.path)}

\\echo {_quoted(f"=== GATE {gate.number}: {gate.title} ===")}
select
    absent as gate_absent,
    absent = '' as gate_applicable
from (
    select {_absent_batches(gate, suite)} as absent
) as needed
\\gset
\\if :gate_applicable
{_query(gate)}
\\gset
\\if :gate_found_any
{_found(gate)}
\\elif :gate_exercised
{_passed(gate)}
\\else
\\echo '… not exercised:' :gate_empty
{_unmet(gate, "not exercised")}\\endif
\\else
\\echo '… not applicable yet: needs' :gate_absent
{_unmet(gate, "not applicable yet")}\\endif
\\echo
"""


def _query(gate: Gate) -> str:
    """Return the statement that counts, in the server, what the gate returns."""
    figures = gate.rows == "figures"
    counted = "count(gate.finding)" if figures else "count(*)"
    items = [f"{counted} as gate_found", f"{counted} > 0 as gate_found_any"]
    if figures:
        items.append(f"coalesce(string_agg({_line(gate)}, e'\\n'), '') as gate_figures")
    filled = " and ".join(f"exists (select from {table})" for table in gate.of)
    items += [f"{filled} as gate_exercised", f"{_empty_tables(gate)} as gate_empty"]
    listed = ",\n    ".join(items)
    return f"select\n    {listed}\nfrom (\n{gate.sql}\n) as gate"


def _line(gate: Gate) -> str:
    """Return the expression that makes a line of a row's shown figures; nulls are left out."""
    cells = [f"{_literal(f'{name}=')} || gate.{_identifier(name)}::text" for name in gate.show]
    return "'  ' || " + _joined(cells, "' | '") if cells else "null"


def _found(gate: Gate) -> str:
    if gate.level is Level.REQUIRED:
        said = f"\\echo '✗ FAIL:' :gate_found {_quoted(f'row(s) found. Fix: {gate.fix}')}"
    else:
        said = f"\\echo 'ℹ️' :gate_found {_quoted(f'to review. {gate.fix}')}"
    return f"{_figures(gate)}{said}\n{_unmet(gate, 'failed')}".rstrip("\n")


def _passed(gate: Gate) -> str:
    """Return the pass line; figures speak for themselves where the gate has no line of its own."""
    line = gate.header.get("pass") if gate.rows == "figures" else gate.pass_line
    own_word = re.match(r"[A-Z]+: ", line)
    said = f"\\echo {_quoted(f'✓ {line}' if own_word else f'✓ PASS: {line}')}" if line else ""
    return f"{_figures(gate)}{said}".rstrip("\n")


def _figures(gate: Gate) -> str:
    return "\\echo :gate_figures\n" if gate.rows == "figures" else ""


def _unmet(gate: Gate, how: str) -> str:
    if gate.level is not Level.REQUIRED:
        return ""
    return f"\\set gate_unmet :gate_unmet {_quoted(f', {gate.name} ({how})')}\n"


def _absent_batches(gate: Gate, suite: Suite) -> str:
    """Return the expression that names the batches the gate needs and the database lacks."""
    cells = [
        f"case when ({suite.batch(name).present}) then null else {_literal(name)} end"
        for name in gate.after
    ]
    return _joined(cells, "', '") if cells else "''"


def _empty_tables(gate: Gate) -> str:
    cells = [
        f"case when not exists (select from {table}) then {_literal(f'{table} is empty')} end"
        for table in gate.of
    ]
    return _joined(cells, "', '")


def _joined(cells: list[str], separator: str) -> str:
    return f"concat_ws({', '.join([separator, *cells])})"


def _quoted(text: str) -> str:
    """Quote an argument of a psql command: nothing inside is expanded."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
