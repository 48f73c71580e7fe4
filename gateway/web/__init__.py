"""The pages and the API: what a department, a manager and a program see of the gateway."""

from gateway.web.app import create_app

__all__ = ["create_app"]
