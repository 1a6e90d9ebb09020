"""How moto's server reads requests off the wire."""

from moto.moto_server.werkzeug_app import MotoRequestHandler as RequestHandler

__all__ = ["RequestHandler"]
