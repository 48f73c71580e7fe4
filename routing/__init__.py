"""The routing workshop: what is known of a fax in, a decision with its reasons out; and the carriers of copies.

Knows no e-mail server, database, web or configuration file.
"""
