/* notify/twilio.c -- text messages by Twilio. */
#include "notify/message.h"

#include <strings.h>

#include "base/text.h"

enum { DIGITS_MAX = 14, TARGET_DIGITS_MIN = 10, SOURCE_DIGITS_MIN = 5, LONG_DIGITS_MIN = 11, TARGETS_MAX = 200 };

/* Whether it is not empty and consists of these characters. */
static bool made_of(Str text, const char *chars)
{
    for (size_t i = 0; i < text.n; i++)
        if (!char_in(text.p[i], chars))
            return false;
    return text.n > 0;
}

/* The digits of a phone number; null if it is not one. */
static Str phone_digits(Arena *arena, Str text, size_t min)
{
    Buf digits;
    buf_init(&digits, arena, 16);
    if (!made_of(text, "0123456789 \t\n\r\v\f()+-"))
        return STR_NULL;
    for (size_t i = 0; i < text.n; i++)
        if (char_is_digit(text.p[i]))
            buf_char(&digits, text.p[i]);
    return digits.n >= min && digits.n <= DIGITS_MAX ? buf_view(&digits) : STR_NULL;
}

/* Whether the text ends here, or another number may begin after separators. */
static bool number_may_end(Str text, size_t at)
{
    size_t i = at;
    while (i < text.n && (char_is_space(text.p[i]) || char_in(text.p[i], ",+(")))
        i++;
    return at == text.n || (i > at && i < text.n && char_is_digit(text.p[i]));
}

/* The next number in a text that lists some: a run of digits, blanks, brackets and dashes, as long as it can be. */
static bool next_number(Str text, size_t *at, Str *ret)
{
    for (size_t begin = *at; begin < text.n; begin++) {
        if (!char_is_digit(text.p[begin]))
            continue;
        size_t end = begin;
        while (end < text.n && char_in(text.p[end], "0123456789 \t\n\r\v\f()-"))
            end++;
        for (; end > begin + 2; end--) {
            if (!char_is_digit(text.p[end - 1]) || !number_may_end(text, end))
                continue;
            *ret = (Str){ text.p + begin, end - begin };
            *at = end;
            return true;
        }
    }
    return false;
}

static void form_value(Buf *out, Str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (char_is_digit((char)c) || char_is_letter((char)c) || char_in((char)c, "_.-~")) {
            buf_char(out, (char)c);
        } else if (c == ' ') {
            buf_char(out, '+');
        } else {
            buf_char(out, '%');
            buf_char(out, hex[c >> 4]);
            buf_char(out, hex[c & 15]);
        }
    }
}

typedef struct Account {
    Str sid, token, source;
    size_t count;          /* of messages */
} Account;

static void add_sms(Message *message, const Account *account, Str to)
{
    Buf body;
    buf_init(&body, message->arena, 2 * message->body.n + 64);
    buf_text(&body, "Body=");
    form_value(&body, message->body);
    buf_text(&body, "&From=");
    form_value(&body, account->source);
    buf_text(&body, "&To=");
    form_value(&body, to);
    NotifyRequest *request =
        message_request(message,
                        arena_printf(message->arena, "https://api.twilio.com/2010-04-01/Accounts/%.*s/Messages.json",
                                     STR_ARG(account->sid)));
    request->content_type = STR("application/x-www-form-urlencoded");
    request->accept = STR("application/json");
    request->user = account->sid;
    request->password = account->token;
    request->body = buf_view(&body);
    request->status_max = 201;
}

/* A short code (5 or 6 digits) gets no plus sign. */
static bool read_account(Message *message, Account *account)
{
    Str source;
    if (!data_required(message, "account_sid", &account->sid) || !data_required(message, "auth_token", &account->token)
        || !data_required(message, "from_phone_number", &source))
        return false;
    bool sid = account->sid.n > 2 && strncasecmp(account->sid.p, "AC", 2) == 0
               && made_of((Str){ account->sid.p + 2, account->sid.n - 2 }, "0123456789abcdefABCDEF");
    if (!sid || !made_of(account->token, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return message_fail(message, "the block's account_sid or auth_token is not usable");
    Str digits = phone_digits(message->arena, source, SOURCE_DIGITS_MIN);
    if (!digits.p || (digits.n < LONG_DIGITS_MIN && digits.n != 5 && digits.n != 6))
        return message_fail(message, "the block's from_phone_number is not a phone number");
    account->source = digits.n < LONG_DIGITS_MIN ? digits : arena_printf(message->arena, "+%.*s", STR_ARG(digits));
    return true;
}

static void add_to_numbers(Message *message, Account *account, Str text)
{
    size_t at = 0;
    Str number;
    while (next_number(text, &at, &number)) {
        Str digits = phone_digits(message->arena, number, TARGET_DIGITS_MIN);
        if (digits.p && ++account->count <= TARGETS_MAX)
            add_sms(message, account, arena_printf(message->arena, "+%.*s", STR_ARG(digits)));
    }
}

bool twilio_message(Message *message)
{
    Account account = { .count = 0 };
    if (!read_account(message, &account))
        return false;
    const Json *targets = data_member(message, "to_phone_numbers");
    if (!targets || targets->kind != JSON_ARRAY)
        return message_fail(message, "the block's to_phone_numbers are not a list");
    for (const Json *target = targets->child; target; target = target->next)
        add_to_numbers(message, &account, target->text);
    if (message->first)
        return true;
    if (account.source.p[0] != '+')
        return message_fail(message, "the block has no phone number to send to");
    add_sms(message, &account, account.source);
    return true;
}
