"""Every numeric reply that this server sends, in one table (modern-irc, "Numerics"; IRCv3 sasl-3.1)."""

from __future__ import annotations

from typing import NamedTuple

from securechat.protocol.message import build


class Numeric(NamedTuple):
    """A code and, where it has one, its closing text with {} for what varies."""

    code: str
    text: str | None = None


RPL_WELCOME = Numeric("001", "Welcome to {}, {}")
RPL_YOURHOST = Numeric("002", "Your host is {}, running securechat {}")
RPL_CREATED = Numeric("003", "Every line is kept since {}")
RPL_MYINFO = Numeric("004")
RPL_ISUPPORT = Numeric("005", "are supported by this server")
RPL_UMODEIS = Numeric("221")
RPL_AWAY = Numeric("301", "{}")
RPL_ENDOFWHO = Numeric("315", "End of WHO list")
RPL_CHANNELMODEIS = Numeric("324")
RPL_CREATIONTIME = Numeric("329")
RPL_NOTOPIC = Numeric("331", "No topic is set")
RPL_TOPIC = Numeric("332", "{}")
RPL_TOPICWHOTIME = Numeric("333")
RPL_WHOREPLY = Numeric("352", "0 {}")
RPL_NAMREPLY = Numeric("353", "{}")
RPL_ENDOFNAMES = Numeric("366", "End of NAMES list")
RPL_ENDOFBANLIST = Numeric("368", "End of channel ban list")
RPL_MOTD = Numeric("372", "- {}")
RPL_MOTDSTART = Numeric("375", "- {} Message of the day -")
RPL_ENDOFMOTD = Numeric("376", "End of MOTD command")
ERR_NOSUCHNICK = Numeric("401", "No such nick")
ERR_NOSUCHCHANNEL = Numeric("403", "No such channel")
ERR_CANNOTSENDTOCHAN = Numeric("404", "You are not in that channel: join it first")
ERR_TOOMANYCHANNELS = Numeric("405", "{}")
ERR_TOOMANYTARGETS = Numeric("407", "At most {} targets in one command; nothing was sent")
ERR_INVALIDCAPCMD = Numeric("410", "Unknown CAP subcommand")
ERR_NORECIPIENT = Numeric("411", "No recipient given ({})")
ERR_NOTEXTTOSEND = Numeric("412", "No text to send")
ERR_INPUTTOOLONG = Numeric("417", "{}")
ERR_UNKNOWNCOMMAND = Numeric("421", "Unknown command")
ERR_NOMOTD = Numeric("422", "There is no message of the day")
ERR_NONICKNAMEGIVEN = Numeric("431", "No nickname given")
ERR_NONICKCHANGE = Numeric("447", "Your nickname is your account's name, {}, and does not change")
ERR_NOTONCHANNEL = Numeric("442", "You are not in that channel")
ERR_NOTREGISTERED = Numeric("451", "Log in first")
ERR_NEEDMOREPARAMS = Numeric("461", "Not enough parameters")
ERR_ALREADYREGISTERED = Numeric("462", "You are logged in already")
ERR_PASSWDMISMATCH = Numeric("464", "{}")
ERR_BADCHANMASK = Numeric("476", "{}")
ERR_CHANOPRIVSNEEDED = Numeric("482", "{}")
ERR_UMODEUNKNOWNFLAG = Numeric("501", "Unknown mode")
ERR_USERSDONTMATCH = Numeric("502", "You see and change your own modes only")
RPL_LOGGEDIN = Numeric("900", "You are now logged in as {}")
RPL_SASLSUCCESS = Numeric("903", "Login succeeded")
ERR_SASLFAIL = Numeric("904", "{}")
ERR_SASLTOOLONG = Numeric("905", "SASL message too long")
ERR_SASLABORTED = Numeric("906", "Login aborted")
ERR_SASLALREADY = Numeric("907", "You are logged in already")
RPL_SASLMECHS = Numeric("908", "are the available SASL mechanisms")


def numeric(server: str, nick: str, reply: Numeric, *params: str, text: tuple[object, ...] = ()) -> bytes:
    """Return the line ":server CODE nick params :text"; `text` fills the {} of the numeric's text in order."""
    tail = [] if reply.text is None else [reply.text.format(*text)]
    return build(reply.code, nick, *params, *tail, source=server)
