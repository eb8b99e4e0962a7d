"""Everything that is kept, in one PostgreSQL database; the only package that holds SQL."""
