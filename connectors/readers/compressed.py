"""Compressed RTF of Outlook messages (MS-OXRTFCP)."""

from __future__ import annotations

import struct

from connectors.readers.errors import ReadError

_COMPRESSED = 0x75465A4C
_PLAIN = 0x414C454D
_WINDOW = 4096
_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_MAX_BYTES = 32 * 1024 * 1024


def inflated_rtf(data: bytes) -> bytes:
    """The RTF behind the value of PidTagRtfCompressed; raises `ReadError`."""
    try:
        _, size, kind, _ = struct.unpack_from("<IIII", data)
    except struct.error as error:
        raise ReadError("corrupt", "The message is damaged: its text can't be unpacked.") from error
    if kind == _PLAIN:
        return data[16 : 16 + size]
    if kind != _COMPRESSED:
        raise ReadError("corrupt", "The message is damaged: its text can't be unpacked.")
    return _inflate(data, min(size, _MAX_BYTES))


def _inflate(data: bytes, size: int) -> bytes:
    window = bytearray(_START.ljust(_WINDOW, b"\x00"))
    at, end, out = 16, len(_START), bytearray()
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 1 >= len(data):
                    return bytes(out)
                token = data[at] << 8 | data[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == end % _WINDOW:
                    return bytes(out)
                piece = range(offset, offset + length)
            elif at < len(data):
                piece = range(at, at + 1)
                at += 1
            else:
                return bytes(out)
            for i in piece:
                byte = window[i % _WINDOW] if control >> bit & 1 else data[i]
                window[end % _WINDOW] = byte
                end += 1
                out.append(byte)
    return bytes(out)
