"""Where the staff see all orders and move them by hand."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from example_project.shop import fulfilment
from example_project.shop.forms import OrderFilterForm
from example_project.shop.models import Order, WrongMove
from example_project.shop.orders import STEPS

View = Callable[..., HttpResponse]
ON_A_PAGE = 30


def staff_only(view: View) -> View:
    """Visitors are asked to sign in; customers who are signed in are refused."""

    @login_required
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@staff_only
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    form = OrderFilterForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = Order.objects.matching(
        status=asked.get("status", ""),
        payment=asked.get("payment", ""),
        delivery=asked.get("delivery", ""),
        text=asked.get("q", "").strip(),
    )
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "shop/staff/orders.html", {"form": form, "page": page})


@staff_only
@require_GET
def order(request: HttpRequest, number: str) -> HttpResponse:
    found = get_object_or_404(Order, number=number)
    context = {"order": found, "lines": found.lines.all(), "steps": found.next_steps()}
    return render(request, "shop/staff/order.html", context)


@staff_only
@require_POST
def move(request: HttpRequest, number: str) -> HttpResponse:
    found = get_object_or_404(Order, number=number)
    step = request.POST.get("step", "")
    if step not in STEPS:
        raise Http404
    try:
        fulfilment.go_on(found.pk, step, timezone.now())
        messages.success(request, _("%(order)s: %(step)s.") % {"order": found, "step": STEPS[step].label})
    except WrongMove:
        messages.error(request, _("%(order)s has gone on meanwhile; nothing was changed.") % {"order": found})
    return redirect("staff_order", number)
