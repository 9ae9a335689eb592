"""What the shop itself writes to its customers."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from example_project.shop.models import Order


def confirm_by_letter(order: Order) -> None:
    """The confirmation of an order, in the customer's language, with a link that needs no account."""
    with translation.override(order.language):
        link = settings.BASE_URL.rstrip("/") + order.signed_path()
        body = render_to_string("shop/letters/confirmation.txt", {"order": order, "link": link})
        send_mail(_("Your order %(number)s") % {"number": order.number}, body, None, [order.email])
