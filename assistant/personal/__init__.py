"""Personal data in a text: found by pattern, checksum and the words around it, and masked."""
