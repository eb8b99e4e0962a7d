"""An enterprise assistant: answers with verified citations, under access control, with receipts."""

__version__ = "0.1.0"
