"""Keyed draws are Philox4x32-10, depend on their key alone, and are uniform."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cluster_sim.errors import ScenarioError
from cluster_sim.randomness import (
    Key,
    Stream,
    block,
    blocks,
    philox4x32,
    scaled,
    uniforms,
    words,
)

KEY = Key.of(20150426)
ALL_ONES = 2**32 - 1
LEAST_P = 1e-3  # the seeds are fixed: a sound generator passes for good, a broken one fails clearly

# Counter, key and output words for ten rounds, as published with Random123 in its file kat_vectors.
KNOWN_ANSWERS = {
    "zeros": (
        (0, 0, 0, 0),
        (0, 0),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    "ones": (
        (ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES),
        (ALL_ONES, ALL_ONES),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    "digits of pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(name: str) -> None:
    """Philox4x32-10 maps the published counters and keys to the published words."""
    counter, key, expected = KNOWN_ANSWERS[name]
    assert philox4x32(counter, key) == expected


def test_no_rounds_change_nothing() -> None:
    """With no rounds the counter comes out as it went in."""
    assert philox4x32((1, 2, 3, 4), (5, 6), n_rounds=0) == (1, 2, 3, 4)


@given(
    index=st.integers(0, 2**64 - 1),
    sub=st.integers(0, 2**32 - 1),
    stream=st.sampled_from(Stream),
    low=st.integers(0, 2**32 - 1),
    high=st.integers(0, 2**32 - 1),
)
def test_a_block_is_philox_of_its_coordinates(
    index: int, sub: int, stream: Stream, low: int, high: int
) -> None:
    """A draw is Philox of (index low, index high, sub, stream) under the key's two words."""
    expected = philox4x32((index % 2**32, index // 2**32, sub, int(stream)), (low, high))
    assert block(Key(low, high), stream, index, sub) == expected


@given(
    coordinates=st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=20
    ),
    stream=st.sampled_from(Stream),
)
def test_many_blocks_are_the_single_blocks(
    coordinates: list[tuple[int, int]], stream: Stream
) -> None:
    """The vectorised draws equal the plain ones, for every index and sub."""
    index, sub = zip(*coordinates, strict=True)
    expected = [list(block(KEY, stream, i, s)) for i, s in coordinates]
    assert blocks(KEY, stream, np.array(index, np.uint64), np.array(sub, np.uint64)).tolist() == (
        expected
    )


def test_the_vectorised_generator_gives_the_published_answer() -> None:
    """The vectorised generator, too, meets a published answer."""
    # No stream has number 0, which the counter of the known answer takes.
    stream_zero = 0
    answer = blocks(Key(0, 0), stream_zero, [0])[0]  # type: ignore[arg-type]
    assert tuple(answer.tolist()) == KNOWN_ANSWERS["zeros"][2]


def test_a_draw_does_not_depend_on_what_else_is_asked() -> None:
    """Draws asked one by one, backwards or in any window are the same draws."""
    together = blocks(KEY, Stream.TASK, np.arange(100))
    backwards = blocks(KEY, Stream.TASK, np.arange(99, -1, -1))[::-1]
    windows = np.concatenate(
        [blocks(KEY, Stream.TASK, np.arange(a, b)) for a, b in ((0, 7), (7, 8), (8, 100))]
    )
    assert np.array_equal(together, backwards)
    assert np.array_equal(together, windows)
    assert blocks(KEY, Stream.TASK, np.arange(0)).shape == (0, 4)


@pytest.mark.parametrize("n_words", [1, 3, 4, 5, 11])
def test_more_words_begin_with_the_fewer(n_words: int) -> None:
    """Asking for more words leaves those already known as they are."""
    many = words(KEY, Stream.TYPE, np.arange(10), 12)
    few = words(KEY, Stream.TYPE, np.arange(10), n_words)
    assert few.shape == (10, n_words)
    assert np.array_equal(few, many[:, :n_words])


def test_words_of_an_index_are_its_blocks_one_after_another() -> None:
    """Word i is word i mod 4 of the block with sub = i // 4."""
    row = words(KEY, Stream.TYPE, [5], 8)[0].tolist()
    assert row == [*block(KEY, Stream.TYPE, 5, 0), *block(KEY, Stream.TYPE, 5, 1)]


def test_coordinates_never_share_a_block() -> None:
    """Streams, indices, subs, replications and seeds each give draws of their own."""
    keys = [Key.of(seed, replication) for seed in range(3) for replication in range(3)]
    seen = {
        block(key, stream, index, sub)
        for key in keys
        for stream in Stream
        for index in (0, 1, 2, 2**32, 2**33)
        for sub in (0, 1)
    }
    assert len(seen) == len(keys) * len(Stream) * 5 * 2


def uniforms_of(n: int, first: int = 0) -> np.ndarray:
    draw = blocks(KEY, Stream.TASK, np.arange(n))
    return uniforms(draw[:, first], draw[:, first + 1])


@pytest.mark.parametrize("first", [0, 2])
def test_both_halves_of_a_block_are_uniform(first: int) -> None:
    """Each half of a block is uniform on [0, 1), by Kolmogorov and Smirnov's test."""
    sample = uniforms_of(50_000, first)
    assert sample.min() >= 0.0
    assert sample.max() < 1.0
    assert stats.kstest(sample, "uniform").pvalue > LEAST_P


def test_the_halves_of_a_block_are_independent() -> None:
    """The two uniforms of a block fill a square of 20 x 20 cells evenly."""
    counts, _, _ = np.histogram2d(uniforms_of(100_000), uniforms_of(100_000, 2), bins=20)
    assert stats.chisquare(counts.ravel()).pvalue > LEAST_P


@pytest.mark.parametrize("bit", [0, 15, 16, 31])
@pytest.mark.parametrize("word", range(4))
def test_every_bit_is_fair(word: int, bit: int) -> None:
    """A bit of a word is one as often as zero."""
    n = 20_000
    ones = int(
        (blocks(KEY, Stream.TYPE, np.arange(n))[:, word] >> np.uint64(bit) & np.uint64(1)).sum()
    )
    assert stats.binomtest(ones, n).pvalue > LEAST_P


def test_successive_indices_are_uncorrelated() -> None:
    """A task's uniform says nothing about the next task's."""
    counts, _, _ = np.histogram2d(uniforms_of(100_001)[:-1], uniforms_of(100_001)[1:], bins=20)
    assert stats.chisquare(counts.ravel()).pvalue > LEAST_P


def test_uniforms_use_53_bits_and_never_reach_one() -> None:
    """The extreme words give 0 and the largest multiple of 2**-53 below 1; the last bit counts."""
    word = np.array([0, ALL_ONES, 0, 1 << 5, 0], dtype=np.uint64)
    low = np.array([0, ALL_ONES, 1 << 6, 0, 0b111111], dtype=np.uint64)
    expected = [0.0, 1.0 - 2.0**-53, 2.0**-53, 2.0**-27, 0.0]
    assert uniforms(word, low).tolist() == expected


@pytest.mark.parametrize("n", [1, 2, 3, 7, 1000, 2**31, 2**32 - 1])
def test_scaled_words_stay_below_n_and_reach_both_ends(n: int) -> None:
    """The smallest word maps to 0, the largest to n - 1, and the map is floor(word * n / 2**32)."""
    word = np.array([0, 1, 2**31, ALL_ONES - 1, ALL_ONES], dtype=np.uint64)
    result = scaled(word, n)
    assert result.tolist() == [int(w) * n // 2**32 for w in word]
    assert result[0] == 0
    assert result[-1] == n - 1


@pytest.mark.parametrize("n", [3, 5, 6, 7])
def test_scaled_outcomes_differ_by_one_word_at_most(n: int) -> None:
    """Outcome i has the words from ceil(i 2**32 / n) on: no share is off by more than 2**-32."""
    borders = [-(-i * 2**32 // n) for i in range(n)]
    at = scaled(np.array(borders, np.uint64), n)
    before = scaled(np.array(borders[1:], np.uint64) - np.uint64(1), n)
    assert at.tolist() == list(range(n))
    assert before.tolist() == list(range(n - 1))
    sizes = np.diff([*borders, 2**32])
    assert sizes.max() - sizes.min() <= 1


def test_scaled_takes_a_bound_for_each_word() -> None:
    """Each word may have a bound of its own."""
    word = np.array([ALL_ONES, ALL_ONES, 0], dtype=np.uint64)
    assert scaled(word, [3, 10, 10]).tolist() == [2, 9, 0]


def test_a_key_is_what_its_repr_says() -> None:
    """A key can be written down and read back."""
    assert eval(repr(KEY)) == KEY


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**64 - 1])
def test_every_seed_in_range_has_its_own_keys(seed: int) -> None:
    """Seeds at both ends of the range give keys of 32-bit words, one for each replication."""
    keys = [Key.of(seed, replication) for replication in range(50)]
    assert len(set(keys)) == 50
    assert all(0 <= word < 2**32 for key in keys for word in (key.low, key.high))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Key.of(-1), r"seed = -1: must be from 0 to 2\*\*64 - 1; choose a smaller one"),
        (lambda: Key.of(2**64), r"seed = 18446744073709551616: must be from 0 to 2\*\*64 - 1"),
        (lambda: Key.of(1, -1), "replication = -1: must be 0 or more"),
    ],
)
def test_impossible_keys_are_refused(make: Callable[[], Key], message: str) -> None:
    """A seed or replication out of range is refused with what is allowed."""
    with pytest.raises(ScenarioError, match=message):
        make()
