"""Where everything lies in the heap: the one description that builders and kernels share.

A compiled grammar is one int64 array, the *heap*, of records that refer to each other by offset. One
array argument instead of five makes a kernel's step about five times cheaper, and a record that is
one run of words is one cache line instead of four. Records are only ever appended; the array is
copied to a larger one when it is full, and offsets stay true.

    header | rule states, dense rows, operations, FIRST sets | lexer | frames, stacks, matcher states, memo
             written by rules/ (a rule when it is first visited)       interned by kernels

Rule state (``STATE_WORDS`` words, then its edges, then its calls)
    S_FLAGS      FINAL: the rule may end here; FORWARD: a rule whose automaton is S_ROW, or not yet built (0);
                 WIDE: most of a vocabulary may stay alive here; above FIRST_SHIFT the offset of the set of
                 bytes that it reads (4 words), once a kernel has asked for them
    S_EDGES      number of edges, ``EDGE_WORDS`` each: lowest symbol | highest << 16, target, operation
    S_CALLS      number of calls, ``CALL_WORDS`` each: see below
    S_ROW        offset of a dense row of targets by byte class, or 0; edges come before it
    S_CMAP       offset of the byte -> class map (32 words of 8 bytes)
    S_PUSH       state to return to, when taking an edge of the dense row calls another automaton
    S_FINAL_OP   operation that must succeed for the rule to end here, or 0
    S_WIDE       state of a pattern whose vocabulary tables serve (this one, or the one it overlays), or 0
    S_ROW_OP     operation of every edge of the dense row, or 0
    S_SOURCE     state of a pattern: offset of what it is a state of (A_DIGEST: two words of the automaton's
                 digest, A_FIRST: its first state, A_STRIDE: words a state), or 0
    S_COUNT_OP   the counting operation of the automaton this state belongs to, or 0
    S_RULE       number of the rule, for messages and for building on demand
    S_PARAM      the callee's parameter after an edge of the dense row that calls (S_PUSH); in a pattern
                 that is bounded (OP_WITHIN): how many reads that count are left at least
    S_FOLLOW     overlay: offset of the FIRST set of what may come after the text it enters, or 0: look at
                 S_PUSH

A symbol is a byte in discipline ``any`` and a terminal's number in ``longest``: the parser is the same.

Call: C_INIT initial state of the callee, C_RET state to return to (0: a call in last place, which leaves
no frame), C_PARAM the callee's first parameter, C_OP operation on the caller's parameter, C_FIRST offset
of the callee's FIRST set (one bit a symbol), C_FLAGS reserved.

Operation (4 words: code, a, b, c): a guard on, and a change of, the parameter of the running rule.
"""

from __future__ import annotations

# Header of the heap.
H_TOP = 0  # first free word
H_LIMIT = 1  # interning stops here; the rest is room for one record
H_HASH = 2  # hash table: offset << HASH_SHIFT | log2 of its size; one word, since readers take no lock. In a
#             slot is a record << HASH_TAG | upper bits of its hash, so that no other is looked at
H_FORMED = 3  # longest: the lexer state that was the last to get a table of its own, or 0
H_HASH_COUNT = 4
H_MODE = 5  # 0: symbols are bytes ("any"), 1: symbols are terminals ("longest")
H_SYMBOL_WORDS = 6  # words of a FIRST set
H_LEX_CMAP = 7  # lexer: byte -> class
H_LEX_CLASSES = 8
H_LEX_STARTS = 9  # lexer: terminal -> its start state (n_terminals words)
H_LEX_IGNORE = 10  # FIRST-like set of the ignored terminals
H_N_TERMINALS = 11
H_MAX_HEADS = 12
H_INDENT = 13  # lexer: offset of the indentation record, or 0: line breaks are like any other bytes
H_LEX_LITERALS = 16  # FIRST-like set of the terminals that are literals
H_LEX_LEVELS = 17  # number of different priorities, then at H_LEX_LEVEL_SETS their sets, highest first
H_LEX_LEVEL_SETS = 18
H_ROWS = 14  # mask rows in use
H_NARROW = 19  # longest: trie nodes; so many are walked, a vocabulary that has more gets token groups
H_ASK = 15  # longest: 0 every reading can be finished, 1 those under a watch are asked, 2 all are asked
H_LEX_FORBIDDEN = 42  # FIRST-like set of the terminals that no text may have
H_CUT = 60  # longest: the stack that stands for whatever lies under the top of another, once there is one
H_LEX_BEGINS = 61  # of each class of bytes, a FIRST-like set of the terminals that it may begin
HEADER_WORDS = 64
HASH_SHIFT = 6
HASH_SIZE = (1 << HASH_SHIFT) - 1
HASH_TAG = 24
HASH_UPPER = 63 - HASH_TAG

# Rule states.
S_FLAGS, S_EDGES, S_CALLS, S_ROW, S_CMAP, S_PUSH, S_FINAL_OP, S_WIDE = range(8)
S_ROW_OP, S_SOURCE, S_COUNT_OP, S_RULE, S_PARAM, S_FOLLOW = range(8, 14)
STATE_WORDS = 14
EDGE_WORDS = 3
CALL_WORDS = 6
C_INIT, C_RET, C_PARAM, C_OP, C_FIRST, C_FLAGS = range(6)
FINAL = 1
FORWARD = 2
WIDE = 4
FIRST_SHIFT = 8
A_DIGEST, A_FIRST, A_STRIDE = 0, 2, 3

# Operations.
OP_INC = 1  # count below a, then count one up, held at b
OP_AT_LEAST = 2  # count at least a
OP_KEY = 3  # member b of the member set a may come; then it has come
OP_ANY_KEY = 4  # one of the members at sorted places b .. c-1 of the set a may come
OP_REST = 5  # another member than the named ones may come; then it has come
OP_ANY_OR_REST = 6  # OP_ANY_KEY, or OP_REST without its change
OP_CLOSE = 7  # all required members have come, and enough of them
OP_NEVER = 8  # a key that is named so that no other member may have it, and that cannot be finished
OP_MARK = 9  # of the set a, another member leaves the mark b (-1: none); what is missing still has room
# Count one up, held at b (0: count nothing), if that and what is left at least at the target are no more than
# a, and at least c where the target is an end.
OP_WITHIN = 10
OP_WORDS = 4

# Member set (descriptor of a Members rule).
M_N, M_ORDERED, M_MIN, M_MAX, M_REST, M_WIDE, M_WORDS, M_N_REQUIRED, M_PLACES, M_MARKS = range(10)
M_NEEDS = 10  # 0, or where it lies: per number the bits of the members that must come with it (M_WORDS words)
M_REQUIRED = 11  # then: required bits (M_WORDS words); sorted place -> number or -1 (M_PLACES words);
#                 per number: next required number at or after it; required members after it
COUNT_SHIFT = 42  # members that have come are counted above this bit of the parameter
MARK_SHIFT = 38  # below them, the marks that members have left, and below these which have come
MAX_MARKS = COUNT_SHIFT - MARK_SHIFT
KEY_MASK = (1 << MARK_SHIFT) - 1

# Lexer: a terminal's state is this record followed by its row of targets by class.
T_TERMINAL, T_FINAL, T_PRIORITY, T_LITERAL = range(4)
T_ROW = 4

# Indentation: newline, indent and dedent are terminals' numbers; opening, closing, joining FIRST-like sets;
# I_EFFECTS: class of bytes -> what such a byte of a newline lexeme does to the column; I_BREAK: a line feed's
# class.
I_NEWLINE, I_INDENT, I_DEDENT, I_OPENING, I_CLOSING, I_TAB, I_EFFECTS, I_BREAK, I_JOINING = range(9)
INDENT_WORDS = 9
E_TEXT, E_BREAK, E_BLANK, E_TAB, E_FEED = range(5)
EFFECT_OF = {0x0A: E_BREAK, 0x0D: E_BREAK, 0x20: E_BLANK, 0x09: E_TAB, 0x0C: E_FEED}  # all others: E_TEXT
# A column is two numbers, one above the other: with the grammar's tab stops, and with tabs of one column.
COLUMN_SHIFT = 32
NO_COLUMN = -1  # no line has begun in this lexeme, or it holds more than blanks
BEFORE_TEXT = -1  # the bracket depth before the first line

# Interned records: [kind | key length << 8, hash, key..., values...].
R_KEY = 2
K_FRAME = 1  # key (return state, parameter, stack below) *, see `kernels.tops`; values: its top part
K_STATE = 2  # key (x, y, z) *; values: mask row + 1, accepting (0 unknown, 1 no, 2 yes),
#                 whether the mask is full (1: every token is allowed)
K_HEAD = 3  # key x, y, z; values: mask row + 1, whether it can be finished (0 unknown, 1 yes, 2 no)
K_ACCEPT = 4  # key state, token; values: state after + 1 (0: unknown), -1 when refused
K_SET = 5  # key words of a bit set
K_LEX = 6  # key best priority so far, terminal states; values: terminals won here, row, table + 1 (-1: there
#               can be none), whether the newline terminal is among them, whether none but forbidden terminals
#               are; see `kernels.leaving` for the others
K_TERMINALS = 7  # key terminal numbers
K_PARSER = 8  # key margin (0 without indentation), heads; values: P_*
K_LINE = 9  # key parser state, column of the line that a newline begins; values: parser state after + 1
K_WATCH = 10  # key lexer states that must not complete
K_MARGIN = 11  # key bracket depth, column of the line that begins in the open newline lexeme, open columns
K_COLUMNS = 12  # key column of the innermost block, open columns of the blocks around it (0: none)
K_JOINED = 13  # key lists; values: the list of all their entries
K_LIST = 14  # key (signature, the one it began as) *
K_SPLIT = 15  # key list, lexer state at a lexeme's start; values: where its split lies
K_TAKEN = 16  # key list, top; values: where what it takes lies, see `kernels.takings`, token groups that
#               were asked last, where their tokens lie
K_ROW = 17  # key sum over a mask row; values: the number of the first such row + 1
K_WORDS = 18  # key what `kernels.splits` and `kernels.takings` have found
K_SIGNATURES = 19  # key signatures, rising: a list whose entries have just begun
K_GROUPS = 20  # key generation of the pool, place of token groups there; values: their signatures (a
#                record), where their index lies
K_TOKENS = 21  # key token groups (a record), what is taken of their list; values: where the tokens lie. Or
#                minus the first id of one group, and where its mask row lies
K_DEAD = 22  # key bytes (4 words) that end a lexeme; values: table + 1, as of a lexer state
K_SHAPED = 23  # key list; values: where its blocks lie, see `kernels.splits`
FRAME_VALUES = 1
STATE_VALUES = 3
L_WON, L_ROW, L_TABLE, L_NEWLINE, L_BARRED, L_OWN, L_BEFORE, L_DEAD = range(8)
L_BEGUN = 8  # at a lexeme's start, where the set of the candidates lies
LEX_VALUES = 9
TAKEN_VALUES = 3
P_START = 0  # the lexer state at a lexeme's start
P_COMPLETE = 1  # whether the text may end (0 unknown, 1 no, 2 yes)
P_TOP = 2  # the top, see `kernels.tops`
P_LEAVES = 3  # whether a reading may leave it (0 unknown, 1 no, 2 yes)
P_SHIFTS = 4  # 0, or where the table of shifts lies, see `kernels.shifts`, and then those that it has first
FEW_SHIFTS = 4
SHIFT_BITS = 17  # of the number of a terminal there
SHIFT_TERMINAL = (1 << SHIFT_BITS) - 1
SHIFT_NEWLINE = SHIFT_TERMINAL  # no symbol has this number: a newline before what its line brings along
P_CANDIDATES = 5 + FEW_SHIFTS  # then the set of the candidates (H_SYMBOL_WORDS words)
CUT = 1  # second word of the entry (0, CUT, 0) for whatever lies under the top of a stack; of the bottom 0

# Scratch: a region of the heap, for the one thread that holds the lock; its places are in the header.
(
    X_FRAMES_TOP,  # tentative frames, 4 words each: return state, parameter, stack below, next entry
    X_FRAMES,
    X_FRAMES_CAP,
    X_HEADS,  # lists of heads, 3 words each
    X_HEADS_CAP,
    X_QUEUE,  # work of one step, 3 words an item
    X_QUEUE_CAP,
    X_DEPTH,  # per depth of a walk: first head, number of heads, frames in use
    X_DEPTH_CAP,
    X_NOTES_N,  # rules that were wanted and are not built
    X_NOTES,
    X_NOTES_CAP,
    X_TMP,  # keys being made
    X_TMP_CAP,
    X_WANT,  # the state whose vocabulary table is wanted
    X_STEP,  # frames in use when the step began
    X_ASKED,  # the head (record) of which it is to be found out whether it can be finished
    X_NEST,  # parts of a walk that are pending, NEST_WORDS each, see `kernels.tables`
    X_NEST_CAP,
    X_BUILD,  # per depth while a vocabulary table is made, BUILD_WORDS each
    X_BUILD_CAP,
) = range(20, 41)
X_KEY = 44  # key of the vocabulary table that is looked for: trie node, automaton (2 words), its state, then
X_FOLLOW = 48  # the bytes that may follow that automaton (4 words)
KEY_WORDS = 8
NEST_WORDS = 14
BUILD_WORDS = 7
X_ONLY = 52  # first bytes of the tokens that are walked in a table's trie, and in lists are not (4 words)
X_OWN = 56  # bytes that a state reads by itself (4 words)
LARGE = 32  # trie nodes; a smaller part of the trie is walked, whatever the state
MEDIUM = 400  # trie nodes; a table of a part that is no larger is made when it is asked for again
FAN = 16  # children of a node of the vocabulary's trie; so many are listed, see `table_pool.with_children`

# Kinds of bytes, a bit each: those of ASCII, see `kinds`, then well-formed characters beyond, the last one
# perhaps in part. Characters that begin with a byte of LEADS, among which there are blanks and ends of lines
# that patterns tell from others, are kinds of their own.
N_ASCII = 42
LEADS = (0xC2, 0xE1, 0xE2, 0xE3, 0xEF)
N_KINDS = N_ASCII + len(LEADS) + 1
OTHER = 1 << N_KINDS  # anything else
MIDDLE = 1 << (N_KINDS + 1)  # of a node itself: it lies in the middle of a character

# Vocabulary tables: V_WORDS words of ``info`` each; see `table_pool`.
V_ROW, V_ROWS, V_COUNTS, V_IDS, V_LEAVE = range(5)  # discipline "any"
V_ENDINGS, V_LISTS = 6, 7
V_ALONE = 16
V_OWN, V_STAYS = 1, 3  # "longest": offset in ``groups``; whether there is a row
V_USED = 5  # time of last use; of table 0, which is none, the clock
V_GENERATION = 0  # of table 0: that of the pool
V_KEY = 8
V_WORDS = 20
LIST_COUNT = 9  # of an entry in a list of `V_LISTS`: characters begun, above
LIST_AT_ONCE = 1 << 8  # whether the pattern is left with the first byte, and that byte

# Scratch of `kernels.splits`: what a child is, and words of it.
W_COLUMN, W_SAME, W_FIRST, W_LAST, W_PARTS, W_LIST, W_NEXT = range(1, 8)
W_CHILD = 8

# Answers of kernels below zero.
REFUSED = -1
GROW_HEAP = -2
GROW_SCRATCH = -3
BUILD_RULES = -4
BUILD_TABLE = -5
TOO_MANY_HEADS = -6
GROW_ROWS = -7
FIND_OUT = -8
NO_TEXT = -9  # of a token that no text writes
GROW_WORK = -10
LEFT_OVER = -11
