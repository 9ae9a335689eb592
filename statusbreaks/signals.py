"""The doors: one in (`status_changed`), the others out, sent after the commit and robustly.

`status_changed.send(sender, order_key=…, flow="payment", status="paid", occurred_at=…)` tells of a change that the
configured model does not show. Missing `occurred_at` means now.
"""

from django.dispatch import Signal

status_changed = Signal()

break_opened = Signal()
break_healed = Signal()
incident_opened = Signal()
incident_updated = Signal()
incident_resolved = Signal()
shop_closed = Signal()
shop_opened = Signal()
coupon_issued = Signal()
coupon_redeemed = Signal()
survey_answered = Signal()
