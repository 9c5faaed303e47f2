/* http/frame.c -- reads and writes the frames of RFC 6455. A reader keeps no bytes but those of an incomplete header:
 * that a socket which says nothing takes no buffer is why this is not a library's (ARCHITECTURE.md). */
#include "http/frame.h"

#include "base/unicode.h"

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0F, MASKED = 0x80, LENGTH = 0x7F, LENGTH_16 = 126, LENGTH_64 = 127 };

static void refuse(FramePiece *piece, int code, const char *why)
{
    piece->bad = code;
    piece->why = why;
}

static bool is_control(uint8_t opcode)
{
    return opcode >= FRAME_CLOSE;
}

/* How long a header is, as far as its first bytes tell. */
static size_t head_length(const FrameReader *reader)
{
    if (reader->head_n < 2)
        return 2;
    unsigned length = reader->head[1] & LENGTH;
    return 2 + (length == LENGTH_16 ? 2u : length == LENGTH_64 ? 8u : 0u) + (reader->head[1] & MASKED ? 4u : 0u);
}

static uint64_t read_length(const FrameReader *reader)
{
    uint64_t length = reader->head[1] & LENGTH;
    size_t bytes = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
    if (!bytes)
        return length;
    length = 0;
    for (size_t i = 0; i < bytes; i++)
        length = length << 8 | reader->head[2 + i];
    return length;
}

/* What is wrong with the first two bytes of a header; NULL: nothing. */
static const char *find_fault(const FrameReader *reader)
{
    uint8_t first = reader->head[0], second = reader->head[1], opcode = first & OPCODE;
    bool known = opcode <= FRAME_BINARY || (opcode >= FRAME_CLOSE && opcode <= FRAME_PONG);
    if (first & RESERVED)
        return "reserved bits must be 0";
    if (!known)
        return "invalid opcode";
    if (!(second & MASKED))
        return "incorrect masking";
    if (is_control(opcode))
        return (second & LENGTH) > FRAME_CONTROL_MAX ? "control frame too long"
            : !(first & FIN) ? "fragmented control frame" : NULL;
    if (opcode == FRAME_CONTINUATION && !reader->message)
        return "unexpected continuation frame";
    return opcode != FRAME_CONTINUATION && reader->message ? "expected a continuation frame" : NULL;
}

/* The header is complete. */
static void begin_payload(FrameReader *reader, size_t message_max, FramePiece *ret)
{
    size_t n = head_length(reader);
    reader->fin = reader->head[0] & FIN;
    reader->opcode = reader->head[0] & OPCODE;
    reader->left = read_length(reader);
    memcpy(reader->mask, reader->head + n - sizeof reader->mask, sizeof reader->mask);
    reader->mask_at = 0;
    reader->head_n = 0;
    reader->in_payload = true;
    if (is_control(reader->opcode))
        return;
    if (reader->opcode != FRAME_CONTINUATION) {
        reader->message = reader->opcode;
        reader->message_n = 0;
    }
    if (reader->left > message_max - reader->message_n)
        refuse(ret, CLOSE_TOO_BIG, "message too big");
    else
        reader->message_n += (size_t)reader->left;
}

static size_t take_head(FrameReader *reader, const char *bytes, size_t n, size_t message_max, FramePiece *ret)
{
    size_t taken = 0;
    while (taken < n && !reader->in_payload && !ret->bad) {
        reader->head[reader->head_n++] = (unsigned char)bytes[taken++];
        const char *fault = reader->head_n == 2 ? find_fault(reader) : NULL;
        if (fault)
            refuse(ret, CLOSE_PROTOCOL, fault);
        else if (reader->head_n == head_length(reader))
            begin_payload(reader, message_max, ret);
    }
    return taken;
}

/* Eight bytes at a time. */
static void unmask(FrameReader *reader, char *bytes, size_t n)
{
    unsigned char key[8];
    uint64_t word, mask;
    size_t i = 0;
    for (size_t k = 0; k < sizeof key; k++)
        key[k] = reader->mask[(reader->mask_at + k) % 4];
    memcpy(&mask, key, sizeof mask);
    for (; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        word ^= mask;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < n; i++)
        bytes[i] = (char)((unsigned char)bytes[i] ^ key[i % 8]);
    reader->mask_at = (uint8_t)((reader->mask_at + n) % 4);
}

size_t frame_take(FrameReader *reader, char *bytes, size_t n, size_t message_max, FramePiece *ret)
{
    *ret = (FramePiece){ .is_payload = false };
    size_t taken = reader->in_payload ? 0 : take_head(reader, bytes, n, message_max, ret);
    if (ret->bad || !reader->in_payload || (taken == n && reader->left))
        return taken;
    size_t length = n - taken < reader->left ? n - taken : (size_t)reader->left;
    unmask(reader, bytes + taken, length);
    reader->left -= length;
    bool control = is_control(reader->opcode), ends = reader->left == 0;
    *ret = (FramePiece){ .is_payload = true, .kind = control ? reader->opcode : reader->message,
                         .data = { bytes + taken, length }, .is_end = ends && reader->fin };
    reader->in_payload = !ends;
    if (ret->is_end && !control)
        reader->message = 0;
    return taken + length;
}

size_t frame_head(char ret[FRAME_HEAD_MAX], FrameKind kind, size_t n)
{
    ret[0] = (char)(FIN | kind);
    if (n < LENGTH_16) {
        ret[1] = (char)n;
        return 2;
    }
    size_t bytes = n <= UINT16_MAX ? 2 : 8;
    ret[1] = bytes == 2 ? LENGTH_16 : LENGTH_64;
    for (size_t i = 0; i < bytes; i++)
        ret[2 + i] = (char)((uint64_t)n >> 8 * (bytes - 1 - i));
    return 2 + bytes;
}

/* Those that RFC 6455 and the registry behind it let an endpoint send. */
static bool is_close_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

int frame_read_close(const FrameReader *reader, Str payload, FramePiece *piece)
{
    int code = payload.n >= 2 ? (unsigned char)payload.p[0] << 8 | (unsigned char)payload.p[1] : CLOSE_NO_CODE;
    if (payload.n == 1)
        refuse(piece, CLOSE_PROTOCOL, "close frame too short");
    else if (payload.n && !is_close_code(code))
        refuse(piece, CLOSE_PROTOCOL, "invalid status code");
    else if (payload.n > 2 && !utf8_is_valid((Str){ payload.p + 2, payload.n - 2 }))
        refuse(piece, CLOSE_NOT_UTF8, "invalid UTF-8");
    else if (reader->message)
        refuse(piece, CLOSE_PROTOCOL, "incomplete fragmented message");
    return code;
}
