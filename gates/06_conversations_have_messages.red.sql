-- A conversation is opened in which nobody has said anything.

insert into "Conversation" (channel) values ('sms');
