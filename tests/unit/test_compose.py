"""What the types of a message cannot say."""

import pytest

from chatd.model.errors import ApiError
from chatd.model.objects.embed import Embed
from chatd.service.compose import check_not_empty


@pytest.mark.parametrize("content", ["", " ", "\n\t\u2003"])
def test_empty(content: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_not_empty(content, ())
    assert caught.value.code == 50006
    check_not_empty(content, (Embed(title="t"),))
