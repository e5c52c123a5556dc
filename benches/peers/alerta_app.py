"""Alerta as a WSGI application; its settings come from the environment."""

from alerta import create_app

app = create_app()
