"""Which stream is closed if too many live streams are open."""

from contextlib import ExitStack
from uuid import UUID

from leadflood.kernel.config import Settings
from leadflood.web.live_streams import LiveStream, LiveStreams

ONE, TWO = UUID(int=1), UUID(int=2)


def limited(*, person: int = 100, workspace: int = 100, process: int = 100) -> LiveStreams:
    return LiveStreams(
        Settings(live_streams_per_person=person, live_streams_per_workspace=workspace, live_streams_per_process=process)
    )


def opened(streams: LiveStreams, *wanted: tuple[UUID, int]) -> list[bool]:
    """Open a stream for each workspace and person, in order. Returns which of them were paused."""
    with ExitStack() as stack:
        made: list[LiveStream] = [
            stack.enter_context(streams.opened(room, UUID(int=person))) for room, person in wanted
        ]
        return [item.paused.is_set() for item in made]


def test_a_persons_oldest_stream_pauses_in_whatever_workspace_it_is() -> None:
    streams = limited(person=2)

    assert opened(streams, (ONE, 1), (ONE, 2), (TWO, 1), (ONE, 1)) == [True, False, False, False]
    assert opened(streams, (ONE, 1), (ONE, 1)) == [False, False]  # what was open is closed


def test_in_a_full_workspace_the_person_with_most_streams_gives_way() -> None:
    streams = limited(workspace=3)

    assert opened(streams, (ONE, 1), (ONE, 2), (ONE, 2), (TWO, 2), (ONE, 3)) == [False, True, False, False, False]


def test_in_a_full_process_the_workspace_with_most_streams_gives_way() -> None:
    streams = limited(process=3)

    assert opened(streams, (ONE, 1), (TWO, 2), (TWO, 3), (ONE, 4), (ONE, 5)) == [True, True, False, False, False]
