"""Annotation over HTTP: FastAPI around a bundle, without torch."""
