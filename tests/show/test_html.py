"""HTML escapes by itself: what is not made by `tag` is text."""

import pytest

from labkit.show.html import Html, folded, join, marked_up, table, tag


class TestHtml:
    @pytest.mark.parametrize(
        ("made", "html"),
        [
            (tag("p"), "<p></p>"),
            (tag("p", "a", "b"), "<p>ab</p>"),
            (tag("p", tag("b", "<")), "<p><b>&lt;</b></p>"),
            (tag("a", "x", href='"><script>'), '<a href="&quot;&gt;&lt;script&gt;">x</a>'),
            (tag("p", "x", class_="num", aria_label="a & b"), '<p class="num" aria-label="a &amp; b">x</p>'),
            (tag("p", "x", style=""), "<p>x</p>"),
            (tag("details", "x", name="one"), '<details name="one">x</details>'),
            (join(["<", Html("<br>"), "&"]), "&lt;<br>&amp;"),
            (folded("<s>", "<t>"), "<details><summary>&lt;s&gt;</summary>&lt;t&gt;</details>"),
            (marked_up("a `b < c` d `e`"), "a <code>b &lt; c</code> d <code>e</code>"),
            (marked_up("no code & none"), "no code &amp; none"),
            (marked_up("one ` alone"), "one ` alone"),
            (marked_up("``"), "<code></code>"),
        ],
    )
    def test_is_text_but_for_what_was_made_as_html(self, made, html):
        assert made == html
        assert isinstance(made, Html)

    def test_a_table_without_rows_has_its_head_still(self):
        assert table(["a"], []).endswith("</tr></thead><tbody></tbody></table>")
