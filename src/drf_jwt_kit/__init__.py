"""A finished JWT sign-in for Django REST framework, protected by default."""

__version__ = "0.1.0"
