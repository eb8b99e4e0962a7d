"""PDFium's functions on plain addresses instead of typed pointers.

A page has thousands of objects and characters; building a pointer object for each costs more than
PDFium's own work.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


def plain(function: Any, result: type, *arguments: type) -> Callable[..., Any]:
    """A function of PDFium, called with addresses where it takes pointers."""
    prototype = ctypes.CFUNCTYPE(result, *arguments)
    return prototype(ctypes.cast(function, ctypes.c_void_p).value or 0)
