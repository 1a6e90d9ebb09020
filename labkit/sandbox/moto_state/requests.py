"""The request handler of moto's server, for the sandbox's own server."""

from moto.moto_server.werkzeug_app import MotoRequestHandler as RequestHandler

__all__ = ["RequestHandler"]
