"""The checkout: one page, one form."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from example_project.shop import values
from example_project.shop.baskets import basket_of
from example_project.shop.checkout import CheckoutRefused, Sum, discounted, place_order, sum_of
from example_project.shop.forms import CheckoutForm, first_answers
from example_project.shop.models import Basket, BasketLine, Order
from example_project.shop.views.orders import remember


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    basket = basket_of(request)
    lines = basket.contents() if basket else []
    if not basket or not lines:
        return redirect("basket")
    if request.method != "POST":
        return _page(request, CheckoutForm(initial=first_answers(request.user)), lines)
    form = CheckoutForm(request.POST)
    if not form.is_valid():
        return _page(request, form, lines, status=400)
    return _submitted(request, form, basket, lines)


def _submitted(request: HttpRequest, form: CheckoutForm, basket: Basket, lines: list[BasketLine]) -> HttpResponse:
    buyer = form.buyer(request.user if request.user.is_authenticated else None)
    coupon, now = form.cleaned_data["coupon"], timezone.now()
    try:
        if "preview" in request.POST:
            due = discounted(sum_of(lines, buyer.carrier), buyer, coupon, now)
            return _page(request, form, lines, due=due)
        order = place_order(basket, buyer, now, coupon, form.cleaned_data["shown"])
    except CheckoutRefused as refused:
        form.add_error(refused.field, str(refused))
        return _page(request, form, lines, status=409)
    remember(request, order)
    return redirect("order_thanks", order.number)


def _page(
    request: HttpRequest, form: CheckoutForm, lines: list[BasketLine], status: int = 200, due: Sum | None = None
) -> HttpResponse:
    chosen = form["carrier"].value()
    carrier = chosen if chosen in values.CARRIERS else Order.Carrier.SWIFT
    context = {"form": form, "lines": lines, "due": due or sum_of(lines, carrier)}
    return render(request, "shop/checkout.html", context, status=status)
