"""The statements of Athena: which one a text is, what it says, and what it does to the catalog."""
