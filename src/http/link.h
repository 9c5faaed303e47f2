/* http/link.h -- what the server's files call of each other. */
#ifndef ORION_LINK_H
#define ORION_LINK_H

#include "http/exchange.h"

/* link.c */
void connection_new(HttpServer *server, int fd, struct in6_addr peer);
void connection_watch(Connection *c, uint32_t events);
void connection_list_move(Connection *c, ListName to); /* to its end */
void connection_list_free(HttpServer *server, ListName name); /* frees its connections */
void connection_drop_input(Connection *c);
void connection_drop_exchange(Connection *c);
void connection_hold_reply(Connection *c, size_t bytes); /* counts a reply that waits: its client does not read it */
void connection_linger(Connection *c);   /* says that nothing more comes, and lets the client end it */
void connection_close(Connection *c);    /* a request that is with the handler stays until it is answered */
void connection_displace(Connection *c); /* closes it to make room for another, or for its bytes */
void connection_free(Connection *c);
/* connection.c */
void connection_event(Connection *c, uint32_t events);
void connection_reply(Connection *c, Exchange *exchange); /* another thread has answered it */
void connection_time_out(Connection *c);
bool connection_is_read(Connection *c); /* its client has read some of the reply since this was last asked */
void connection_last_chance(Connection *c); /* at the drain: takes a request that has arrived, else closes */
/* room.c */
/* The connection to close so that another client can be taken; NULL: none yet, server->accept_again says when. */
Connection *room_find(HttpServer *server);
void room_for_memory(HttpServer *server); /* closes connections where too many bytes wait for clients */
void room_give_back(HttpServer *server); /* what a crowd took, to the system; after closed connections are freed */
void room_look_at_bodies(HttpServer *server); /* ends those that come too slowly */

#endif
