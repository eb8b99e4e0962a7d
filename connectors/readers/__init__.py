"""Readers: what a file of any format says, read in a limited child process.

from connectors.readers import read_file
reading = read_file(Path("policy.pdf"))
"""

from connectors.readers.errors import ReadError
from connectors.readers.limits import Limits
from connectors.readers.media import sniff
from connectors.readers.model import Block, Box, Reading
from connectors.readers.sandbox import read_file
from connectors.readers.wire import reading_json, reading_of

__all__ = [
    "Block",
    "Box",
    "Limits",
    "ReadError",
    "Reading",
    "read_file",
    "reading_json",
    "reading_of",
    "sniff",
]
