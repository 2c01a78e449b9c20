"""The approvals page in a real browser: by keyboard alone, live, without scripts, dark and narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.server.console.browser import Page, browser, served
from tests.server.gate.lab import Lab, label, patch, scale

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BUTTONS = "document.querySelectorAll('form.decide button')"
FOCUS = "document.activeElement"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "state")


@pytest.fixture
async def page(lab: Lab, tmp_path: Path) -> AsyncIterator[Page]:
    async with browser(tmp_path) as found, served(lab) as link:
        await found.looks()
        await found.go(link)
        yield found
        assert found.complaints == []
    await lab.gate.close()


async def opened(page: Page, action_id: str) -> None:
    base = await page.script("document.body.dataset.events.replace(/events$/, '')")
    await page.go(await page.script(f"location.origin + '{base}actions/{action_id}'"))


async def tabbed_to(page: Page, wanted: str) -> None:
    """Press Tab until an expression is true of what has the focus."""
    for _ in range(60):
        await page.press("Tab")
        if await page.script(f"(() => {{ const e = {FOCUS}; return !!({wanted}) }})()"):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


@pytest.mark.requirement("page.keyboard")
async def test_a_keyboard_is_enough(page: Page, lab: Lab) -> None:
    action = await lab.propose(scale(4))
    await page.comes(f"document.querySelector('a[href$=\"{action.id}\"]')")  # the list has heard of it by itself
    await tabbed_to(page, f"e.href?.endsWith('{action.id}')")
    outline = await page.script(f"getComputedStyle({FOCUS}).outlineStyle")
    await page.press("Enter")
    await page.loaded()
    await tabbed_to(page, "e.id === 'comment'")
    await page.type("by keyboard")
    await tabbed_to(page, "e.value === 'approve'")
    await page.press("Enter")
    await page.loaded()
    (decided,) = lab.gate.actions.get(action.id).approvals

    assert outline == "solid"
    assert (decided.approved, decided.comment) == (True, "by keyboard")


async def test_a_page_that_is_overtaken_says_so_and_decides_nothing(page: Page, lab: Lab) -> None:
    action = await lab.propose(label("x"))
    await opened(page, action.id)
    await page.comes("document.querySelector('[data-left]').textContent.match(/^9 min/)")
    lab.gate.actions.reject(action.id, "somebody else")
    await page.comes("document.getElementById('news').textContent.includes('not what is shown')")

    assert await page.script(f"[...{BUTTONS}].every(button => button.disabled)")


async def test_the_countdown_counts(page: Page, lab: Lab) -> None:
    action = await lab.propose(label("x"))
    await opened(page, action.id)
    first = await page.script("document.querySelector('[data-left]').textContent")
    await page.comes(f"document.querySelector('[data-left]').textContent !== '{first}'")


async def test_without_scripts_the_page_decides_all_the_same(page: Page, lab: Lab) -> None:
    action = await lab.propose(label("x"))
    await page.ask("Emulation.setScriptExecutionDisabled", value=True)
    await opened(page, action.id)
    await tabbed_to(page, "e.value === 'reject'")
    await page.press("Enter")
    await page.loaded()

    assert lab.gate.actions.get(action.id).status == "rejected"


async def test_markup_of_others_runs_nothing(page: Page, lab: Lab) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    action = await lab.propose(patch({"metadata": {"annotations": {"note": evil}}}), justification=evil)
    await opened(page, action.id)

    assert "owned" not in await page.script("document.title")
    assert await page.script("document.images.length") == 0
    assert evil in await page.script("document.body.innerText")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 768, 1600])
async def test_nothing_is_cut_off_and_everything_can_be_read(
    page: Page, lab: Lab, tmp_path: Path, width: int, dark: bool
) -> None:
    action = await lab.propose(scale(4), justification="x" * 300)
    await page.looks(width=width, dark=dark)
    await opened(page, action.id)
    await page.picture(tmp_path / "page.png")
    low = await page.script(CONTRAST)

    assert await page.script("document.documentElement.scrollWidth") <= width
    assert low == []
    assert (tmp_path / "page.png").stat().st_size > 10_000


CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = rgb(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *:not(svg, svg *)')].filter(e => e.checkVisibility()
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).filter(e => {
      const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
    }).map(e => e.outerHTML.slice(0, 80));
})()"""
"""Texts with less contrast than 4.5 to 1 (WCAG 2.2, 1.4.3)."""
