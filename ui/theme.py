"""The page's colours and shapes, as Streamlit's options."""

from __future__ import annotations

from typing import Any

THEME: dict[str, Any] = {
    "theme.base": "light",
    "theme.primaryColor": "#0f5f63",
    "theme.backgroundColor": "#ffffff",
    "theme.secondaryBackgroundColor": "#f4f5f4",
    "theme.textColor": "#1d2733",
    "theme.linkColor": "#0f5f63",
    "theme.borderColor": "#dfe3e1",
    "theme.showWidgetBorder": True,
    "theme.baseRadius": "10px",
    "theme.buttonRadius": "10px",
    "theme.baseFontSize": 15,
    "theme.sidebar.backgroundColor": "#f4f5f4",
    "theme.sidebar.borderColor": "#e4e7e5",
}
