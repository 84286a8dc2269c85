"""Forms of the district's pages: fields and labels. What is right or wrong is said by the actions, in Chinese."""

from __future__ import annotations

from typing import Any

from django import forms

from anju.accounts.roles import LABELS
from anju.design.when import DayInput
from anju.elders import words
from anju.places.queries import PlaceInfo

_BLANK = [("", "请选择")]


def _text(label: str, *, must: bool = False, longest: int = 200, hint: str = "", rows: int = 0) -> forms.CharField:
    widget = (
        forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(attrs={"placeholder": hint} if hint else {})
    )
    return forms.CharField(
        label=label,
        required=must,
        max_length=longest,
        widget=widget,
        error_messages=_SAID | {"required": f"请填{label}"},
    )


def _pick(label: str, choices: Any, *, must: bool = False) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=must,
        choices=[*_BLANK, *choices],
        error_messages={"required": f"请选{label}", "invalid_choice": "请从列表里选"},
    )


def _day(label: str, *, must: bool = False) -> forms.DateField:
    return forms.DateField(
        label=label, required=must, widget=DayInput(),
        error_messages={"required": f"请填{label}", "invalid": "日期写成 2026-11-20 这样"},
    )  # fmt: skip


_SAID = {"max_length": "太长了，最多 %(limit_value)d 字"}


def _degrees(label: str, least: float, most: float) -> forms.FloatField:
    wrong = f"{label}是 {least} 到 {most} 之间的数，如 {least + 47}.2"
    return forms.FloatField(
        label=label, required=False, min_value=least, max_value=most, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
    )  # fmt: skip


class ElderForm(forms.Form):
    """The items of the register that are a person's. An item left empty keeps the file a draft."""

    name = _text("姓名", must=True, longest=40)
    id_number = _text("身份证号", longest=20, hint="18 位，末位可为 X")
    sex = _pick("性别", words.SEXES)
    birth_date = _day("出生日期")
    phone = _text("联系电话", longest=20, hint="手机 11 位，座机带区号")
    kind = _pick("对象类别", words.ELDER_KINDS)
    ability = _pick("能力状态", words.ABILITIES)
    health_state = _text("健康状况", longest=60)
    illnesses = _text("重大疾病史", hint="没有就写：无")
    chronic = _text("慢病史", hint="没有就写：无")
    allergies = _text("药物过敏史", hint="没有就写：无")
    self_rescue = _text("自救方式", hint="如：床头拉绳、会拨 120")
    hobbies = _text("兴趣爱好")
    habits = _text("生活习惯", hint="如：午睡 2 小时")
    hearing_note = _text("听力与沟通", longest=120, hint="如：右耳听得清")
    other = _text("其他信息", rows=2)
    electricity_no = _text("电表户号", longest=30)
    water_no = _text("水表户号", longest=30)
    gas_no = _text("燃气户号", longest=30)
    appointment = _day("预约上门日期")
    appointment_half = _pick("预约时段", words.HALF_DAYS)

    def given(self) -> dict[str, Any]:
        """What was typed, for the action; a date that was left empty is None."""
        return dict(self.cleaned_data)


class HomeForm(forms.Form):
    """The dwelling: where it is and how an ambulance gets there."""

    place = forms.ChoiceField(
        label="社区", error_messages={"required": "请选社区", "invalid_choice": "请从列表里选您辖区内的社区"}
    )
    address = _text("详细地址", must=True, longest=120, hint="小区、幢、单元、室")
    entrance = _text("救护车入口", longest=120, hint="哪个门进，停在哪里")
    floor = forms.IntegerField(
        label="楼层", required=False, min_value=-3, max_value=120, error_messages={"invalid": "楼层写数字"}
    )
    lift = forms.TypedChoiceField(
        label="电梯",
        required=False,
        choices=[*_BLANK, ("1", "有"), ("0", "无")],
        coerce=lambda v: v == "1",
        empty_value=None,
    )
    access_note = _text("进门办法", longest=120)
    key_note = _text("钥匙在哪", longest=120)

    def __init__(self, *args: Any, places: list[PlaceInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [*_BLANK, *((p.code, p.name) for p in places)]  # type: ignore[attr-defined]


class HomeChangeForm(HomeForm):
    """The dwelling as it is, and its points on the map. A move to other rooms is a new home, so the community stays."""

    building = _text("楼栋", longest=40)
    datum = forms.ChoiceField(label="坐标来源", choices=words.DATUMS, required=False)
    lon = _degrees("经度", 73, 136)
    lat = _degrees("纬度", 3, 54)
    entrance_lon = _degrees("入口经度", 73, 136)
    entrance_lat = _degrees("入口纬度", 3, 54)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, places=[], **kwargs)
        del self.fields["place"]


class ContactForm(forms.Form):
    """Somebody to call."""

    kind = _pick("类别", words.CONTACT_KINDS, must=True)
    name = _text("姓名", must=True, longest=40)
    relation = _text("与本人关系", longest=20)
    sex = _pick("性别", words.SEXES)
    phone = _text("联系电话", must=True, longest=20)
    address = _text("居住地址", longest=120)
    eta_minutes = forms.IntegerField(
        label="几分钟能到", required=False, min_value=0, max_value=600, error_messages={"invalid": "写分钟数"}
    )
    has_key = forms.BooleanField(label="有钥匙", required=False)


class ReasonForm(forms.Form):
    """Why: kept in the audit and in the file."""

    reason = _text("原因", must=True, longest=100, hint="写给以后查的人看")


class ConsentForm(forms.Form):
    """A signed paper. A waiver has no scope: it takes back what held."""

    kind = forms.ChoiceField(label="文书", choices=words.CONSENT_KINDS, initial="service", required=False)
    document = _text("文书编号", must=True, longest=60, hint="文书右上角的编号")
    signed_by = _text("签字人", must=True, longest=40)
    signer = forms.ChoiceField(label="签字人身份", choices=words.SIGNERS)
    signed_on = _day("签字日期", must=True)
    expires_on = _day("有效至")
    scope = forms.MultipleChoiceField(
        label="同意范围",
        choices=words.CONSENT_SCOPES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Only a 告知及确认书 says what it covers."""
        given = super().clean() or self.cleaned_data
        given["kind"] = given.get("kind") or "service"
        if given["kind"] == "service" and not given.get("scope") and "scope" not in self.errors:
            self.add_error("scope", "请勾选同意的范围")
        return dict(given)


class DeviceForm(forms.Form):
    """A device taken into stock, mostly one that has been talking already."""

    imei = _text("IMEI", must=True, longest=40)
    product_code = forms.ChoiceField(
        label="型号", error_messages={"required": "请选型号", "invalid_choice": "请从列表里选型号"}
    )
    operator_id = _text("平台设备号", longest=80)
    sn = _text("序列号", longest=60)

    def __init__(self, *args: Any, products: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product_code"].choices = [*_BLANK, *products]  # type: ignore[attr-defined]


class UserForm(forms.Form):
    """A new account."""

    username = _text("用户名", must=True, longest=40, hint="字母、数字和 . _ -")
    name = _text("姓名", must=True, longest=40)
    phone = _text("手机", longest=20)
    seat_number = _text("坐席号", longest=10)
    password = forms.CharField(
        label="初始口令", max_length=128, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "请填初始口令，本人首次登录要改"},
    )  # fmt: skip


class PostForm(forms.Form):
    """A post at a place."""

    role = forms.ChoiceField(
        label="岗位",
        choices=[*_BLANK, *((r.value, label) for r, label in LABELS.items())],
        error_messages={"required": "请选岗位"},
    )
    place = forms.ChoiceField(
        label="区域", error_messages={"required": "请选区域", "invalid_choice": "请从列表里选区域"}
    )
    until = _day("截止日（可空）")

    def __init__(self, *args: Any, places: list[PlaceInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [*_BLANK, *((p.code, f"{p.name} {p.code}") for p in places)]  # type: ignore[attr-defined]
