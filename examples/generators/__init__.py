"""Code that writes the binary documents (PDF, DOCX, XLSX) of the sample companies."""
