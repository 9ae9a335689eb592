"""`…/api/`."""

from __future__ import annotations

from django.urls import path

from statusbreaks.api.coupons import ValidateCoupon
from statusbreaks.api.events import StatusEvents
from statusbreaks.api.flows import Alarms, BreakDetail, Breaks
from statusbreaks.api.incidents import Dismiss, IncidentDetail, Incidents, Resolve, Updates
from statusbreaks.api.schema import schema_routes
from statusbreaks.api.shop import Closings, OpenClosing, Shop

urlpatterns = [
    path("status-events/", StatusEvents.as_view(), name="api-status-events"),
    path("incidents/", Incidents.as_view(), name="api-incidents"),
    path("incidents/<int:pk>/", IncidentDetail.as_view(), name="api-incident"),
    path("incidents/<int:pk>/updates/", Updates.as_view(), name="api-incident-updates"),
    path("incidents/<int:pk>/resolve/", Resolve.as_view(), name="api-incident-resolve"),
    path("incidents/<int:pk>/dismiss/", Dismiss.as_view(), name="api-incident-dismiss"),
    path("breaks/", Breaks.as_view(), name="api-breaks"),
    path("breaks/<int:pk>/", BreakDetail.as_view(), name="api-break"),
    path("alarms/", Alarms.as_view(), name="api-alarms"),
    path("shop/", Shop.as_view(), name="api-shop"),
    path("shop/closings/", Closings.as_view(), name="api-closings"),
    path("shop/closings/<int:pk>/open/", OpenClosing.as_view(), name="api-closing-open"),
    path("coupons/validate/", ValidateCoupon.as_view(), name="api-coupon-validate"),
    *schema_routes(),
]
