"""What can go wrong, said so that the user can mend it.

Every message states what was expected, what was got and what to do. No class here
derives from ``RuntimeError``: Qt generator workers swallow those.
"""

from __future__ import annotations


class SegSuiteError(Exception):
    """Root of every error this package raises on purpose."""


class ParameterError(SegSuiteError, ValueError):
    """A setting is outside what its declaration allows."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class InputError(SegSuiteError, ValueError):
    """An image, seeds or mask array cannot be used as it is."""


class SpaceMismatchError(InputError):
    """Two inputs do not lie on the same grid in world space."""


class MissingDependencyError(SegSuiteError, ImportError):
    """An optional library is absent or broken; the message names the pip command."""


class FormatError(SegSuiteError, ValueError):
    """A file is not what its name promises, is damaged, or cannot hold the data."""


class OutOfMemoryError(SegSuiteError):
    """A job would need, or did need, more memory than there is."""


class DeviceError(SegSuiteError, ValueError):
    """The device asked for does not exist on this machine."""


class JobFailedError(SegSuiteError):
    """A method broke in a way that is not the user's fault; wraps the cause."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user stopped the job."""
