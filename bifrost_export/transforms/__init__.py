"""How rows are changed on their way: aggregate, anonymize, enrich, python, and what others bring by the port."""
