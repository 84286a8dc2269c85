"""Lists of choices, with the words people read."""

from __future__ import annotations

SEXES = [("女", "女"), ("男", "男")]
DATUMS = [("wgs84", "WGS-84"), ("gcj02", "GCJ-02（高德、腾讯）"), ("bd09", "BD-09（百度）")]
HOME_STATES = [("active", "使用中"), ("suspended", "停机"), ("ended", "已拆除")]
ELDER_STATES = [("draft", "草稿"), ("approved", "服务中"), ("suspended", "停机"), ("ended", "已停止")]
ELDER_KINDS = [
    ("widowed", "孤寡"),
    ("alone", "独居"),
    ("needy", "困难家庭"),
    ("special", "特需困难"),
    ("aged", "高龄"),
    ("couple", "双老"),
    ("self_paid", "自费"),
]
ABILITIES = [
    ("intact", "能力完好"),
    ("mild", "轻度失能"),
    ("moderate", "中度失能"),
    ("severe", "重度失能"),
    ("total", "完全失能"),
]
HALF_DAYS = [("am", "上午"), ("pm", "下午")]
CONTACT_KINDS = [
    ("guardian", "监护人"),
    ("neighbour", "邻居"),
    ("grid", "网格员"),
    ("social_worker", "社工"),
    ("property", "物业管家"),
    ("night_duty", "夜间值班"),
    ("committee", "居委会"),
]
CONTACT_KIND_LABELS = dict(CONTACT_KINDS)
CONSENT_KINDS = [("service", "告知及确认书"), ("waiver", "放弃承诺书")]
CONSENT_SCOPES = [
    ("monitor", "设备日常监测"),
    ("meters", "用水、用电、燃气数据"),
    ("calls", "电话被叫话单"),
    ("rescue_110_120_119", "授权代拨 110、120、119"),
    ("third_party", "向第三方提供"),
    ("family", "家属在网上查看起居和报警"),
]
CONSENT_SCOPE_LABELS = dict(CONSENT_SCOPES)
SCAN_KINDS = [("pdf", "PDF"), ("jpeg", "JPEG"), ("png", "PNG")]
SIGNERS = [("elder", "老人本人"), ("guardian", "监护人")]
ABILITY_LABELS = dict(ABILITIES)
ELDER_KIND_LABELS = dict(ELDER_KINDS)
ELDER_STATE_LABELS = dict(ELDER_STATES)
