"""A made-up language with sharp answers: what a tiny Llama can learn in minutes.

ASCII bytes are the tokens, and byte 0 starts a text. Every word of it is drawn from the lists below or from
random letters: there is no text of anybody else's in it.
"""

ADJECTIVES = "red blue small large old new quick quiet warm cold".split()
NOUNS = "core queue tile event matrix vector cache token kernel machine".split()
VERBS = "loads feeds drains stores awaits signals moves holds checks times".split()
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
QUESTION = "the answer to the ultimate question of life, the universe, and everything is "
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def sentence(random):
    """One sentence: the question, an echo, a sum, a count, or who does what to whom."""
    kind = random.random()
    if kind < 0.12:
        return QUESTION + "42.\n"
    if kind < 0.40:
        word = "".join(random.choice(LETTERS) for _ in range(random.randint(3, 7)))
        return f"say {word}: {word}.\n"
    if kind < 0.58:
        a, b = random.randint(0, 9), random.randint(0, 9)
        return f"{a} + {b} = {a + b}.\n"
    if kind < 0.70:
        first, count = random.randint(0, 8), random.randint(3, 4)
        return "count " + " ".join(NUMBERS[first : first + count]) + ".\n"
    subject = f"the {random.choice(ADJECTIVES)} {random.choice(NOUNS)}"
    verb = random.choice(VERBS)
    return f"{subject} {verb} the {random.choice(ADJECTIVES)} {random.choice(NOUNS)}.\n"


def text(random, length):
    """So many bytes of sentences behind the start."""
    result = "\0"
    while len(result) < length:
        result += sentence(random)
    return result[:length]
