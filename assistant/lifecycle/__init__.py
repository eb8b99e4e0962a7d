"""The life cycle of data: backups, legal holds, retention, and the erasure of a subject."""
