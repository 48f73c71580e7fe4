"""The house: the doors (SMTP, web, command line), the memory (spool, database) and the one path a fax walks."""
