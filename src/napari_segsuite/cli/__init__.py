"""The command ``napari-segsuite``: everything without a viewer, a display or Qt.

Exit status: 0 done; 1 a problem the user can mend, said in one line; 2 wrong usage;
130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after the program's name; by default those of this process.
    """
    try:
        # Here, since loading takes long enough to be interrupted.
        from .command import execute

        return execute(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
