"""The reading workshop: a fax document in, a :class:`~ocr.page.Transcript` out.

Knows no e-mail, database, web or configuration file. Everything here is plain synchronous code with one thread;
parallelism belongs to the worker of the gateway.
"""
