"""An order's own page, for whoever may see it: its customer, the staff, and a guest who knows number and email."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from example_project.shop import fulfilment
from example_project.shop.forms import FindOrderForm
from example_project.shop.models import Order, WrongMove
from example_project.shop.orders import LINK_SALT

SESSION_KEY = "orders"
MOST_REMEMBERED = 20
TRIES = 10  # wrong numbers from one address within TRIES_WITHIN seconds
TRIES_WITHIN = 600


def remember(request: HttpRequest, order: Order) -> None:
    """This visitor has shown that the order is theirs."""
    known = [pk for pk in request.session.get(SESSION_KEY, []) if pk != order.pk]
    request.session[SESSION_KEY] = [*known, order.pk][-MOST_REMEMBERED:]


def _mine(request: HttpRequest, number: str) -> Order | None:
    order = Order.objects.with_number(number)
    if order is None:
        return None
    user = request.user
    if isinstance(user, AnonymousUser):
        return order if order.pk in request.session.get(SESSION_KEY, []) else None
    seen = user.is_staff or order.user_id == user.pk or order.pk in request.session.get(SESSION_KEY, [])
    return order if seen else None


@never_cache
@require_GET
def order(request: HttpRequest, number: str, template: str = "shop/order.html") -> HttpResponse:
    found = _mine(request, number)
    # The same answer for an order of somebody else and for none: numbers cannot be tried out.
    if found is None:
        return redirect("find_order")
    context = {"order": found, "lines": found.lines.all(), "may_cancel": _cancellable(found)}
    return render(request, template, context)


def _cancellable(order: Order) -> bool:
    return bool({"cancelled", "cancelled_and_refunded"} & order.next_steps().keys())


@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    found = _mine(request, number)
    if found is None:
        raise Http404
    try:
        fulfilment.cancel(found.pk, timezone.now())
        messages.success(request, _("Your order is cancelled."))
    except WrongMove:
        messages.error(request, _("This order can no longer be cancelled."))
    return redirect(found)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find_order(request: HttpRequest) -> HttpResponse:
    form = FindOrderForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "shop/find_order.html", {"form": form}, status=400 if form.is_bound else 200)
    if not _may_try(request):
        form.add_error(None, _("Too many tries. Please wait ten minutes."))
        return render(request, "shop/find_order.html", {"form": form}, status=429)
    found = Order.objects.known_to(form.cleaned_data["number"], form.cleaned_data["email"]).first()
    if found is None:
        form.add_error(None, _("We know no order with this number and this email."))
        return render(request, "shop/find_order.html", {"form": form}, status=404)
    remember(request, found)
    return redirect(found)


def _may_try(request: HttpRequest) -> bool:
    key = f"find-order:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, TRIES_WITHIN)
    return cache.incr(key) <= TRIES


@never_cache
@require_GET
def order_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the shop's letters. It goes on by redirect, so that the token stays out of referrers."""
    try:
        found = Order.objects.filter(pk=signing.loads(token, salt=LINK_SALT)).first()
    except signing.BadSignature:
        found = None
    if found is None:
        return redirect("find_order")
    remember(request, found)
    return redirect(found)


@never_cache
@login_required
@require_GET
def my_orders(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/my_orders.html", {"orders": Order.objects.ordered_by(request.user)})
