"""The one exception that the engine raises for input that a person can mend."""

from __future__ import annotations


class LabError(Exception):
    """Something a person asked for cannot be done as asked.

    The message is written for that person: one sentence that says what is wrong, and, where
    there is one, a second that says what to do. The window shows it as it is, in place.
    Programming errors are not LabErrors; they keep their own types and reach the error bar.
    """
