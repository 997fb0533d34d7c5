"""Become the server's user, tie our life to our parent's, then become the given command.

Run as a script, and on its own: a fresh interpreter has one thread, as a user namespace demands,
and none of the locks that another thread may hold when a process forks.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000


def main(how: str, uid: int, gid: int, parent: int, folder: str, *command: str) -> None:
    """Run `command` in `folder`, or leave with a line that tells which step was refused."""
    step = f"becoming user {uid}"
    try:
        _become(how, uid, gid)
        # After the change of user, which would take the signal back.
        _die_with(parent)
        step = f"entering {folder}"
        os.chdir(folder)
        if command:
            step = f"running {command[0]}"
            os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"{step}: {error.strerror}")


def _become(how: str, uid: int, gid: int) -> None:
    if how == "user":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    elif how == "namespace":
        outer_uid, outer_gid = os.geteuid(), os.getegid()
        _call("unshare", _CLONE_NEWUSER)
        # The kernel takes a map of groups only from who can no longer change them.
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/gid_map", f"{gid} {outer_gid} 1")
        _write("/proc/self/uid_map", f"{uid} {outer_uid} 1")


def _write(path: str, text: str) -> None:
    # Whoever starts a server waits for our imports: pathlib would be a quarter of them.
    file = os.open(path, os.O_WRONLY)
    os.write(file, text.encode())
    os.close(file)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        _call("prctl", _PR_SET_PDEATHSIG, signal.SIGQUIT)
    # The parent may have died before it could be said.
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _how, _uid, _gid, _parent, _folder, *_command = sys.argv[1:]
    main(_how, int(_uid), int(_gid), int(_parent), _folder, *_command)
