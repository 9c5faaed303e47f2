/* http/frame.h -- the frames of RFC 6455, both ways: no sockets, no knowledge of messages beyond where they end. */
#ifndef ORION_FRAME_H
#define ORION_FRAME_H

#include "base/base.h"

typedef enum FrameKind {
    FRAME_CONTINUATION = 0, FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10
} FrameKind;

enum {
    FRAME_HEAD_MAX = 10,     /* bytes before the payload of what we send, which has no mask */
    FRAME_CONTROL_MAX = 125  /* bytes of the payload of a close, ping or pong */
};

typedef enum CloseCode {
    CLOSE_NORMAL = 1000, CLOSE_GOING_AWAY = 1001, CLOSE_PROTOCOL = 1002, CLOSE_UNSUPPORTED = 1003,
    CLOSE_NO_CODE = 1005, CLOSE_LOST = 1006, /* neither is ever sent: there was no code; there was no close */
    CLOSE_NOT_UTF8 = 1007, CLOSE_POLICY = 1008, CLOSE_TOO_BIG = 1009, CLOSE_INTERNAL = 1011, CLOSE_TRY_LATER = 1013
} CloseCode;

/* What a client's bytes are in the middle of. All zero: before the first frame. */
typedef struct FrameReader {
    unsigned char head[14];  /* a header as far as it has come */
    uint8_t head_n;
    bool in_payload;
    bool fin;                /* of this frame: */
    uint8_t opcode, mask_at;
    unsigned char mask[4];
    uint64_t left;           /* bytes of its payload still to come */
    uint8_t message;         /* the kind of the message whose frames come; 0: none */
    size_t message_n;        /* its bytes in the frames that are begun */
} FrameReader;

/* A part of a frame's payload, or why there is none. */
typedef struct FramePiece {
    bool is_payload;         /* false: the header is not complete yet, or: */
    int bad;                 /* the close code for what breaks the protocol; 0: nothing does */
    const char *why;
    FrameKind kind;          /* of the message for a continuation; never FRAME_CONTINUATION */
    Str data;                /* unmasked, within the bytes that were given */
    bool is_end;             /* of the message, or of the control frame */
} FramePiece;

/* Takes bytes up to the end of one piece, which it unmasks in place; returns how many. `message_max`: bytes. After a
 * bad piece nothing may follow. */
size_t frame_take(FrameReader *reader, char *bytes, size_t n, size_t message_max, FramePiece *ret);

/* Writes the header of an unfragmented frame of ours; returns its length. */
size_t frame_head(char ret[FRAME_HEAD_MAX], FrameKind kind, size_t n);

/* The code in the payload of a close frame; 1005: none. Sets piece->bad if it is malformed. */
int frame_read_close(const FrameReader *reader, Str payload, FramePiece *piece);

#endif
