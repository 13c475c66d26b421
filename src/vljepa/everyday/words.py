"""The words of everyday captions: what a thing may be called, what it may be instead, and how verbs are inflected.

Written for this project; no caption of any data set went into it. In the tables ``|`` separates synonyms, the first of
which names the word, and ``,`` words that exclude one another, so that either of two makes another picture.
"""

from dataclasses import dataclass


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Name -> synonyms."""
    words = (tuple(synonym.strip() for synonym in entry.split("|")) for entry in " ".join(text.split()).split(","))
    return {synonyms[0]: synonyms for synonyms in words}


NOUNS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": _table("""
        man|guy|gentleman, woman|lady, boy|young boy, girl|young girl, baby|infant, old man|elderly man, old
        woman|elderly woman, teenager|adolescent, chef|cook, police officer|cop, waiter|server, farmer,
        doctor|physician, nurse, soldier, tourist|sightseer, ice skater|skater, swimmer, skier, cyclist|bicyclist,
        golfer, basketball player, football player|soccer player, fireman|firefighter, bride, groom, musician,
        painter|artist, teacher, student|pupil, worker|labourer, businessman, clown, dancer, fisherman|angler,
        shopkeeper, driver, photographer, jogger|runner, singer, mechanic, cowboy
    """),
    "animal": _table("""
        dog|hound, puppy, cat|feline, kitten, horse, cow, bull, sheep, goat, pig|hog, donkey, elephant, giraffe,
        zebra, lion, tiger, bear, monkey, rabbit|bunny, squirrel, mouse, crow, duck, swan, goose, chicken|hen,
        parrot, owl, seagull|gull, pigeon|dove, penguin, turtle|tortoise, frog, snake, fox, wolf, deer, camel, polar
        bear
    """),
    "vehicle": _table("""
        car|automobile, truck|lorry, bus, van, taxi|cab, bicycle|bike, motorcycle|motorbike, scooter, train,
        tram|streetcar, boat, sailboat|sailing boat, ship|vessel, ferry, plane|airplane|aircraft, helicopter,
        tractor, wagon|cart, canoe, fire engine|fire truck, ambulance
    """),
    "furniture": _table("""
        table, desk, chair, stool, bench, couch|sofa, bed, shelf, bookcase|bookshelf, cupboard|cabinet, dresser,
        counter|countertop, fridge|refrigerator, stove|cooker, oven, sink, bathtub|tub, toilet, television|TV, lamp,
        mirror, rug|carpet, pillow|cushion, curtain|drape, wardrobe|closet, piano
    """),
    "object": _table("""
        book, laptop|laptop computer, phone|cell phone|mobile phone, camera, umbrella|parasol, suitcase, telescope,
        backpack|rucksack, handbag|purse, ball, kite, sledge|sled, paddle|oar, fishing rod, walking stick|cane,
        guitar, violin, drum, broom, hammer, rope, newspaper, magazine, letter, map, flag, candle, clock, vase,
        basket, bucket|pail, box|carton, bottle, cup|mug, plate|dish, bowl, knife, fork, spoon, toy robot, doll,
        hairbrush, towel, blanket, pencil, balloon, bouquet, keyboard, wallet, kettle|teakettle, hat, glove, shoe,
        ladder, wheel, sign
    """),
    "food": _table("""
        apple, banana, orange, pear, lemon, sandwich, pizza, sausage, hamburger|burger, cake, doughnut|donut, pie,
        cookie|biscuit, salad, carrot, slice of bread|piece of bread, egg, fish, steak, ice cream|ice-cream cone,
        bowl of soup, muffin, potato, tomato, pumpkin
    """),
    "outdoors": _table("""
        tree, bush|shrub, fence, wall, bridge, house|home, tower, church, barn, hut|cabin, gate, hill, rock|boulder,
        river|stream, lake|pond, fountain, statue|sculpture, traffic light|stoplight, windmill, telephone box|phone
        booth, street lamp|streetlight, mailbox|postbox, tent, puddle, log, field|meadow, garden|yard, flower
    """),
}  # fmt: skip
"""Class -> name -> synonyms."""

GARMENTS = _table("""
    shirt, jacket|coat, dress|gown, hat|cap, sweater|jumper, skirt, suit, scarf, helmet, tie|necktie, apron, vest,
    uniform
""")

ATTRIBUTES: dict[str, dict[str, tuple[str, ...]]] = {
    "colour": _table("""
        red, blue, green, yellow, black, white, brown, orange, pink, purple|violet, grey|gray, beige|tan,
        golden|gold, silver
    """),
    "size": _table("large|big|huge, small|little|tiny, tall|high, short|low, long, wide|broad, narrow"),
    "material": _table("wooden|wood, metal|metallic, plastic, glass, stone, leather, paper, brick, ceramic, rubber"),
    "pattern": _table("striped|stripy, spotted|dotted, checked|checkered, plain, flowery|floral"),
    "state": _table("""
        open|opened, closed|shut, empty, full|filled, wet|soaked, dry, clean|spotless, dirty|filthy, broken|damaged,
        new, old, shiny|glossy, dull, round|circular, square, rectangular, bright, dark, hot, cold, soft, hard,
        thick, thin, heavy, light, rusty, colorful|multicolored
    """),
    "mood": _table("""
        happy|smiling, sad|unhappy, angry|furious, tired|sleepy, bored, excited, calm|relaxed, scared|frightened
    """),
    "build": _table("""
        tall, short, thin|skinny, fat|overweight, bald, bearded, blond|fair-haired, dark-haired, barefoot|shoeless
    """),
    "beast": _table("""
        black, white, brown, grey|gray, spotted, fluffy|furry, large|big, small|little, young, old, wet, thin|skinny
    """),
}  # fmt: skip

ATTRIBUTES_OF: dict[str, tuple[str, ...]] = {
    "person": ("mood", "build"),
    "animal": ("beast",),
    "vehicle": ("colour", "colour", "size", "state"),
    "furniture": ("colour", "material", "size", "state", "pattern"),
    "object": ("colour", "colour", "material", "size", "state", "pattern"),
    "food": ("size", "colour", "state"),
    "outdoors": ("size", "colour", "state"),
}
"""Class -> what is said of it; what is named twice is said twice as often."""

PLACES = _table("""
    in the kitchen, in the bedroom, in the bathroom|in the restroom, in the living room|in the lounge, in the
    office, in a classroom|in a schoolroom, in a restaurant|in a diner, in a shop|in a store, in the park, at the
    beach|at the seaside, on the street|on the road, in the snow, in the rain, in the forest|in the woods, in the
    desert, on a farm, at the zoo, at the airport, at a train station|at a railway station, in a parking lot|in a
    car park, at night, in the sunshine|in the sun, on a mountain, by the sea|by the ocean, by the river, in a
    stadium, on a stage, in a garage, in a museum, at a party, at a market, in the city|in town, in the countryside,
    in a swimming pool, on the sidewalk|on the pavement, in the backyard, indoors|inside, outdoors|outside
""")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """How one thing stands to another."""

    phrases: tuple[str, ...]
    converse: str
    """The relation of the second thing to the first, its own name where the two may change places; ``-`` if none."""
    contrasts: tuple[str, ...]
    """Relations that cannot hold at once."""


def _relations(text: str) -> dict[str, Relation]:
    rows = ([cell.strip() for cell in line.split(";")] for line in text.strip().splitlines())
    return {
        phrases.split("|")[0]: Relation(tuple(phrases.split("|")), converse, tuple(contrasts.split(", ")))
        for phrases, converse, contrasts in rows
    }


RELATIONS = _relations("""
    on|on top of|atop|upon; beneath; beneath, inside, beside, behind, against
    beneath|under|underneath; on; on, beside, in front of, inside
    above|over|higher than; below; below, beside, inside
    below|lower than|under; above; above, beside, behind
    inside|in|within|enclosed by; containing; outside, on, behind, beneath, beside
    outside|outside of|out of; -; inside
    containing|holding; inside; outside, beneath, beside, behind
    in front of|ahead of|before; behind; behind, to the left of, on, inside
    behind|at the back of|in back of|to the rear of; in front of; in front of, on, beside, inside
    to the left of|left of|on the left side of; to the right of; to the right of, in front of, on
    to the right of|right of|on the right side of; to the left of; to the left of, behind, beneath
    beside|next to|by|alongside|adjacent to|at the side of; beside; far from, on, inside, behind
    near|close to|not far from|in the vicinity of; near; far from
    far from|far away from|away from|a long way from; far from; near, beside, touching
    touching|in contact with; touching; far from, apart from
    apart from|separated from|detached from; apart from; touching, attached to
    facing|turned towards|looking towards; -; facing away from, behind
    facing away from|turned away from|looking away from; -; facing
    around|surrounding|encircling; in the middle of; inside, beside
    in the middle of|surrounded by|in the centre of; around; at the edge of, around, outside
    at the edge of|on the edge of|at the border of; -; in the middle of, far from
    attached to|fixed to|connected to|fastened to; attached to; apart from, far from
    against|up against; -; far from, on, inside
    across from|opposite|facing; across from; beside, behind
    parallel to|in line with; parallel to; perpendicular to
    perpendicular to|at right angles to; perpendicular to; parallel to
    hanging from|suspended from; -; on, beneath, inside
    covering|spread over; covered by; covered by, beside
    covered by|covered with; covering; covering, beside
""")  # fmt: skip
"""Name, its phrases; converse; contrasts."""

MOTIONS = _relations("""
    onto|on to; -; off, under, past
    off|down from; -; onto, under
    into|inside; -; out of, past, around
    out of|from inside; -; into
    over|across; -; under, around, along
    under|underneath; -; over, past
    towards|in the direction of|up to; -; away from
    away from|off from; -; towards
    around|in a circle around; -; through, over, into
    through|from one end to the other of; -; around, over
    past|by; -; into, towards, around
    along|down the length of; -; across, away from
    across|over; -; along, around
""")  # fmt: skip
"""Ways of moving with respect to a thing."""

POSES = _table("sit, stand, lie|recline, sleep|snooze, kneel, crouch|squat, wait, rest|relax, lean")
MOVES = _table("walk|stroll, run|sprint, jump|leap, climb|clamber, crawl, swim, fly, ride, march, hop")
ALONE = _table("""
    laugh, cry|weep, smile|grin, sing, dance, yawn, sleep|snooze, read, wave, cough, pray, shout|yell, eat, drink,
    stretch, fall|tumble, work, play, talk|chat, listen, rest|relax
""")
"""Things done without anything else."""

_DONE = {
    "person object": _table("""
        hold|grasp|grip, carry|transport, drop|let go of, throw|toss|hurl, catch|grab, wash|rinse, clean|wipe,
        repair|fix|mend, pack, buy|purchase, sell, paint, break|smash, kick, hide|conceal, lift|raise|pick up, open,
        close|shut, point at, reach for, photograph
    """),
    "person food": _table("""
        eat|consume, cut|slice, cook|prepare, serve|dish up, sniff|smell, throw away|discard, buy|purchase, bite
    """),
    "person vehicle": _table("""
        drive|steer, wash|rinse, repair|fix|mend, push|shove, board, leave, park, paint, photograph
    """),
    "person furniture": _table("""
        clean|wipe, move|shift, paint, repair|fix|mend, carry|transport, buy|purchase, build|assemble, kick
    """),
    "animate animate": _table("""
        chase|pursue, watch|observe|look at, follow|walk after, approach|walk up to, push|shove, lick, kiss, bite,
        ignore, touch, hug|embrace, lead|guide, pull|drag, carry|transport, kick, wake|rouse, protect|guard,
        frighten|scare, help|assist, feed, pet|stroke, greet|welcome
    """),
    "animal object": _table("""
        chew|gnaw at, sniff|smell, carry|transport, drop, catch|grab, drag|pull, lick, guard|protect
    """),
    "animal food": _table("eat|devour, sniff|smell, steal, lick, bury"),
    "vehicle vehicle": _table("follow|drive behind, pass|overtake, pull|tow, hit|crash into, block|obstruct, push"),
}  # fmt: skip
VERBS: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    (who, whom): verbs
    for classes, verbs in _DONE.items()
    for subject, target in [classes.split()]
    for who in (("person", "animal") if subject == "animate" else (subject,))
    for whom in (("person", "animal") if target == "animate" else (target,))
}
"""Classes of who acts and of what is acted upon -> verbs."""

STATES = {
    "containing": "contain", "holding": "hold", "facing": "face", "touching": "touch", "covering": "cover",
    "surrounding": "surround", "encircling": "encircle",
}  # fmt: skip
"""Phrases of relations that are verbs, and these."""

_DOUBLED = frozenset(
    ("sit", "run", "swim", "hop", "drop", "grip", "hug", "cut", "let", "shut", "stop", "pet", "jog", "grab", "squat")
)
_PAST = {
    "hold": "held", "throw": "thrown", "catch": "caught", "buy": "bought", "sell": "sold", "break": "broken",
    "hide": "hidden", "eat": "eaten", "cut": "cut", "bite": "bitten", "drive": "driven", "leave": "left",
    "build": "built", "lead": "led", "wake": "woken", "feed": "fed", "steal": "stolen", "hit": "hit", "shut": "shut",
    "let": "let", "overtake": "overtaken",
}  # fmt: skip


def third_person(verb: str) -> str:
    """``pick up`` -> ``picks up``."""
    head, _, rest = verb.partition(" ")
    if head.endswith(("s", "sh", "ch", "x", "o")):
        head += "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "s"
    return f"{head} {rest}".strip()


def gerund(verb: str) -> str:
    """``pick up`` -> ``picking up``."""
    head, _, rest = verb.partition(" ")
    if head in _DOUBLED:
        head += head[-1]
    elif head.endswith("ie"):
        head = head[:-2] + "y"
    elif head.endswith("e") and not head.endswith("ee"):
        head = head[:-1]
    return f"{head}ing {rest}".strip()


def participle(verb: str) -> str:
    """``pick up`` -> ``picked up``."""
    head, _, rest = verb.partition(" ")
    if head in _PAST:
        head = _PAST[head]
    elif head.endswith("e"):
        head += "d"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ied"
    else:
        head += (head[-1] if head in _DOUBLED else "") + "ed"
    return f"{head} {rest}".strip()


_PLURALS = {
    "mouse": "mice", "goose": "geese", "sheep": "sheep", "deer": "deer", "fish": "fish", "knife": "knives",
    "shelf": "shelves", "bookshelf": "bookshelves", "wolf": "wolves", "aircraft": "aircraft",
}  # fmt: skip


def plural(noun: str) -> str:
    """``slice of bread`` -> ``slices of bread``, ``police officer`` -> ``police officers``."""
    first, of, rest = noun.partition(" of ")
    before, space, head = first.rpartition(" ")
    if head.endswith("man") or head.endswith("child"):
        head = head[:-3] + "men" if head.endswith("man") else head + "ren"
    elif head in _PLURALS:
        head = _PLURALS[head]
    elif head.endswith(("s", "sh", "ch", "x")) or head in ("potato", "tomato"):
        head += "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "s"
    return before + space + head + of + rest
