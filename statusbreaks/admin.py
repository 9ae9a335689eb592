"""Where Django looks for the admin's pages; each stands in its room and registers itself."""

from statusbreaks.coupons import admin as coupons
from statusbreaks.feedback import admin as feedback
from statusbreaks.flows import admin as flows
from statusbreaks.incidents import admin as incidents
from statusbreaks.maintenance import admin as maintenance
from statusbreaks.notifications import admin as notifications
from statusbreaks.shop import admin as shop

__all__ = ["coupons", "feedback", "flows", "incidents", "maintenance", "notifications", "shop"]
