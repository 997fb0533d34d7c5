"""Run one SQL file as the harness does, and print the seconds it took and this process's memory.

python benchmarks/client.py CONNINFO FILE TRIES [SETTING=VALUE ...]
"""

import json
import resource
import sys
from pathlib import Path
from time import perf_counter

import psycopg

from batchgate.script import Script, run_script

LOCK_NOT_AVAILABLE = "55P03"


def main() -> None:
    """Run the file to its end; an error ends the process."""
    conninfo, file, tries, *settings = sys.argv[1:]
    script = Script(Path(file), Path(file).parent)
    with psycopg.connect(conninfo, autocommit=True) as session:
        for setting in settings:
            session.execute("select set_config(%s, %s, false)", setting.split("=", 1))
        begun = perf_counter()
        ran, tried = run_script(session, script), 1
        while ran.error and ran.error.sqlstate == LOCK_NOT_AVAILABLE and tried < int(tries):
            ran, tried = run_script(session, script), tried + 1
        seconds = perf_counter() - begun
    if ran.error is not None:
        raise SystemExit(f"{file}, try {tried}: {ran.error}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": seconds, "memory": memory, "begun": begun, "tries": tried}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
