"""The form of notebook 00: cloud, region, bucket and e-mail, checked while the learner types.

Without widgets (in the HTML book, on GitHub, in a test) the settings are a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from labkit.lab import settings
from labkit.lab.cloud import AwsCloud
from labkit.lab.errors import LabError
from labkit.lab.resources import BUCKET_MARK
from labkit.lab.settings import Settings, SettingsError
from labkit.show.html import Html, table, tag
from labkit.show.shown import Shown, text_table

LABELS = {
    "cloud": "Cloud",
    "region": "Region",
    "bucket": "Bucket",
    "email": "E-mail",
    "aws_account": "AWS account",
}
MEANINGS = {
    "cloud": "the sandbox on this machine, or a real AWS account",
    "region": "where everything is made, and what every path follows",
    "bucket": "where flow logs go: one that was found, or typed; empty: the provided one",
    "email": "where the alarm writes to",
    "aws_account": "the account that you confirm as the one to work in",
}
CLOUD_NAMES = {"sandbox": "sandbox - on this machine, no account, no cost", "aws": "aws - a real account, costs money"}
_VIEW = "application/vnd.jupyter.widget-view+json"


def no_buckets(_: Settings) -> tuple[str, ...]:
    """Return no buckets."""
    return ()


class SettingsForm(Shown):
    """The settings as they are, and as widgets to change them with.

    `find_buckets` lists the buckets for given settings; `use` makes the lab use the saved settings.
    """

    def __init__(
        self,
        current: Settings,
        *,
        find_buckets: Callable[[Settings], tuple[str, ...]] = no_buckets,
        use: Callable[[Settings], None],
    ) -> None:
        self.current = current
        self._find_buckets = find_buckets
        self._buckets = find_buckets(current)
        self._use = use
        self.fields: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.widget: Any = None

    def text(self) -> str:
        """The settings as a table."""
        return text_table(("setting", "value", "what it is"), self._rows())

    def html(self) -> Html:
        """The settings as a table, where there are no widgets."""
        note = tag("p", "In Jupyter, with a running kernel, this is a form.")
        return tag("div", table(("setting", "value", "what it is"), self._rows(), caption="Settings"), note)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.build()._repr_mimebundle_()[_VIEW]
        return {"text/plain": self.text(), "text/html": str(self.html()), _VIEW: view}

    def build(self) -> Any:
        """The widgets, made when they are first shown."""
        if self.widget is None:
            import ipywidgets

            self.fields = self._make_fields(ipywidgets)
            self.messages = {name: ipywidgets.HTML() for name in self.fields}
            self.status = ipywidgets.HTML()
            button = ipywidgets.Button(description="Save settings", button_style="primary")
            button.on_click(lambda _: self.save())
            for name, field in self.fields.items():
                field.observe(lambda change, name=name: self._look_at(name, change["new"]), names="value")
            rows = [ipywidgets.HBox([field, self.messages[name]]) for name, field in self.fields.items()]
            self.widget = ipywidgets.VBox([*rows, button, self.status])
            self._show_account_for(self.current.cloud)
        return self.widget

    def save(self) -> None:
        """Check everything, save it, and use it; the form shows what is wrong."""
        try:
            wanted = Settings.parse({name: str(field.value) for name, field in self.fields.items()})
            self._use(wanted)
            settings.save(wanted)
        except SettingsError as refusal:
            for name in refusal.problems:
                self._say(name)
            self.status.value = tag("span", "Not saved: see the fields above.", style=_BAD, role="alert")
        except LabError as refusal:
            self.status.value = tag("span", f"Not saved: {refusal}", style=_BAD, role="alert")
        else:
            self.current = wanted
            self.status.value = tag(
                "span", "✓ Saved. The lab uses these settings from now on.", style=_GOOD, role="alert"
            )

    def _make_fields(self, ipywidgets: Any) -> dict[str, Any]:
        wide = {"style": {"description_width": "7em"}, "layout": {"width": "30em"}}
        choices = {
            "cloud": [(label, value) for value, label in CLOUD_NAMES.items()],
            "region": [(f"{code} - {name}", code) for code, name in settings.regions().items()],
        }
        fields = {}
        for name, value in asdict(self.current).items():
            label = {"value": value, "description": LABELS[name], **wide}
            if name in choices:
                fields[name] = ipywidgets.Dropdown(options=choices[name], **label)
            elif name == "bucket":
                fields[name] = ipywidgets.Combobox(options=self._buckets, placeholder=self._provided_bucket, **label)
            else:
                fields[name] = ipywidgets.Text(placeholder=MEANINGS[name], **label)
        return fields

    @property
    def _provided_bucket(self) -> str:
        """Return the bucket that an empty field stands for; empty if there is none, or more than one candidate."""
        marked = [name for name in self._buckets if BUCKET_MARK in name]
        return marked[0] if len(marked) == 1 else ""

    def _look_at(self, name: str, value: str) -> None:
        self.status.value = ""
        self._say(name)
        if name == "cloud":
            self._say("email")
            self._show_account_for(value)
        if name in ("cloud", "region"):
            self._offer_buckets()

    def _offer_buckets(self) -> None:
        """Offer the buckets of the chosen cloud and region."""
        chosen = {name: str(self.fields[name].value) for name in ("cloud", "region")}
        self._buckets = self._find_buckets(replace(self.current, **chosen))
        field = self.fields["bucket"]
        field.options, field.placeholder = self._buckets, self._provided_bucket
        self._say("bucket")

    def _say(self, name: str) -> None:
        """Show beside a field what is wrong with its value, or that it is right."""
        typed = {each: str(field.value).strip() for each, field in self.fields.items()}
        if problem := settings.problems(typed).get(name):
            words, style = f"✗ {LABELS[name]} {problem}", _BAD
        elif name == "bucket":
            words, style = self._word_on_bucket(typed["bucket"])
        else:
            words, style = "✓", _GOOD
        self.messages[name].value = tag("span", words, style=style, role="status")

    def _word_on_bucket(self, typed: str) -> tuple[str, str]:
        """Say what a valid bucket name means here, and its style."""
        if typed in self._buckets:
            return "✓ found", _GOOD
        if not typed and self._provided_bucket:
            return f"✓ the provided one: {self._provided_bucket}", _GOOD
        where = f"in {self.fields['region'].value}"
        told = f"no bucket found {where} is called so" if typed else f"the provided one wasn't found {where}"
        return f"? {told}; saving tells whether the lab can use it", ""

    def _show_account_for(self, cloud: str) -> None:
        """Show the account field for AWS only: the learner types the id that is shown there to confirm it."""
        row = self.widget.children[list(self.fields).index("aws_account")]
        row.layout.display = "" if cloud == "aws" else "none"
        if cloud == "aws":
            try:
                identity = AwsCloud.identity(str(self.fields["region"].value))
            except LabError as refusal:
                self.status.value = tag("span", str(refusal), style=_BAD, role="alert")
                return
            text = f"Your credentials belong to {identity}. To confirm, type its id."
            self.messages["aws_account"].value = tag("span", text)

    def _rows(self) -> list[tuple[str, str, str]]:
        values = asdict(self.current) | ({"bucket": self._provided_bucket} if not self.current.bucket else {})
        shown = [name for name in values if name != "aws_account" or self.current.cloud == "aws"]
        return [(LABELS[name], values[name], MEANINGS[name]) for name in shown]


_BAD = "color:#b00020"
_GOOD = "color:#0a6b2d"
