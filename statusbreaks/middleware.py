"""Where MIDDLEWARE looks."""

from statusbreaks.maintenance.middleware import MaintenanceMiddleware

__all__ = ["MaintenanceMiddleware"]
