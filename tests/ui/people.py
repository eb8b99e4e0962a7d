"""The people of the pages' tests."""

PASSWORD = "correct horse battery staple"
SUGGESTION = "How long are invoices kept?"
PEOPLE = (("ana", "Ana Souza", "en", "acme"), ("bruno", "Bruno Lima", "pt", "acme"))
