"""What customers and staff fill in."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.validators import RegexValidator
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from example_project.shop import values
from example_project.shop.checkout import Buyer
from example_project.shop.models import Order
from example_project.shop.orders import COUNTRIES

if TYPE_CHECKING:
    UserForm = BaseUserCreationForm[User]
else:
    UserForm = BaseUserCreationForm

PHONE = RegexValidator(r"^\+?[0-9][0-9 ()/-]{5,18}$", _("Enter a phone number, for example +48 22 123 45 67."))


class PlainForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class QuantityForm(PlainForm):
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=values.MOST_OF_ONE, initial=1)


class BasketLineForm(QuantityForm):
    quantity = forms.IntegerField(label=_("Quantity"), min_value=0, max_value=values.MOST_OF_ONE)


def _text(label: Any, longest: int, autocomplete: str, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=longest, widget=forms.TextInput({"autocomplete": autocomplete}), **more
    )


class CheckoutForm(PlainForm):
    email = forms.EmailField(
        label=_("Email"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"}), required=True
    )
    phone = forms.CharField(
        label=_("Phone (optional)"),
        max_length=20,
        required=False,
        validators=[PHONE],
        widget=forms.TextInput({"autocomplete": "tel", "type": "tel"}),
    )
    language = forms.ChoiceField(label=_("We write to you in"), choices=settings.LANGUAGES)
    accepts_marketing = forms.BooleanField(label=_("Send me news and offers now and then"), required=False)
    name = _text(_("Name"), 120, "name")
    street = _text(_("Street and house number"), 120, "street-address")
    postcode = _text(_("Postcode"), 12, "postal-code")
    city = _text(_("Town"), 80, "address-level2")
    country = forms.ChoiceField(
        label=_("Country"),
        choices=list(COUNTRIES.items()),
        widget=forms.Select({"autocomplete": "country"}),
    )
    carrier = forms.ChoiceField(label=_("Delivery"), choices=[], widget=forms.RadioSelect)
    payment_method = forms.ChoiceField(label=_("Payment"), choices=Order.Method.choices, widget=forms.RadioSelect)
    coupon = forms.CharField(
        label=_("Coupon code (optional)"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    # What the goods cost on the page that the customer looked at.
    shown = forms.DecimalField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["carrier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code, _carrier(code)) for code in values.CARRIERS]

    def buyer(self, user: Any) -> Buyer:
        """Who buys; `user` is None for a guest. Only of a valid form."""
        answers = {name: value for name, value in self.cleaned_data.items() if name not in {"coupon", "shown"}}
        return Buyer(**answers, user=user)


def _carrier(code: str) -> Any:
    service = values.CARRIERS[code]
    return _("%(name)s, %(days)s working days, %(fee)s EUR") % {
        "name": Order.Carrier(code).label,
        "days": service.days,
        "fee": number_format(service.fee),
    }


def first_answers(user: Any) -> dict[str, Any]:
    """What the checkout knows before it asks: from the last order, or the account."""
    start = {
        "language": get_language(),
        "country": "PL",
        "carrier": Order.Carrier.SWIFT,
        "payment_method": Order.Method.CARD,
    }
    if not user.is_authenticated:
        return start
    last = Order.objects.ordered_by(user).first()
    if last is None:
        return {**start, "email": user.email, "name": user.get_full_name()}
    known = ("email", "phone", "name", "street", "postcode", "city", "country", "carrier", "payment_method")
    return {**start, **{name: getattr(last, name) for name in known}}


class FindOrderForm(PlainForm):
    number = forms.CharField(
        label=_("Order number"),
        max_length=40,
        help_text=_("For example KT-104283"),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label=_("Email you ordered with"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )


class LoginForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.fields["username"].label = _("Email")
        self.fields["username"].widget.attrs |= {"type": "email", "autocomplete": "username"}

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


class RegisterForm(UserForm):
    """An account's name is its email address."""

    email = forms.EmailField(label=_("Email"), max_length=150, widget=forms.EmailInput({"autocomplete": "email"}))

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.fields["first_name"].widget.attrs["autocomplete"] = "given-name"
        self.fields["last_name"].widget.attrs["autocomplete"] = "family-name"

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(username=email).exists():
            raise forms.ValidationError(_("There is an account with this address already. Please sign in."))
        return email

    def save(self, commit: bool = True) -> User:
        self.instance.username = self.cleaned_data["email"]
        return super().save(commit)


class OrderFilterForm(PlainForm):
    q = forms.CharField(label=_("Number, name or email"), required=False, max_length=80)
    status = forms.ChoiceField(label=_("Status"), required=False)
    payment = forms.ChoiceField(label=_("Payment"), required=False)
    delivery = forms.ChoiceField(label=_("Delivery"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = {"status": Order.Status, "payment": Order.PaymentStatus, "delivery": Order.DeliveryStatus}
        for name, statuses in lines.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", _("any")), *statuses.choices]
