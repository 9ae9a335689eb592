"""Where Django looks for the tables; each stands in its room."""

from statusbreaks.coupons.models import Campaign, Coupon, CouponPolicy, Grant
from statusbreaks.feedback.models import Survey
from statusbreaks.flows.models import Alarm, Expectation, FlowCounter, FlowGauge, StatusBreak, StatusChange, Watch
from statusbreaks.incidents.models import (
    AffectedOrder,
    Component,
    Incident,
    IncidentEvent,
    IncidentUpdate,
    Playbook,
    PlaybookText,
    UpdateText,
)
from statusbreaks.maintenance.models import AlternativeChannel, Closing, ClosingText
from statusbreaks.notifications.models import Message
from statusbreaks.shop.models import Bookmark, ReportedOrder

__all__ = [
    "AffectedOrder",
    "Alarm",
    "AlternativeChannel",
    "Bookmark",
    "Campaign",
    "Closing",
    "ClosingText",
    "Component",
    "Coupon",
    "CouponPolicy",
    "Expectation",
    "FlowCounter",
    "FlowGauge",
    "Grant",
    "Incident",
    "IncidentEvent",
    "IncidentUpdate",
    "Message",
    "Playbook",
    "PlaybookText",
    "ReportedOrder",
    "StatusBreak",
    "StatusChange",
    "Survey",
    "UpdateText",
    "Watch",
]
