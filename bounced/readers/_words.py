"""What systems of many languages say of mail that did not arrive: enough to tell a failure from other mail.

Why it failed is not read here: that is the rules' work.
"""

import re

from bounced.readers._patterns import Sign

_FAILED = (
    r"(?:could|can|did|was|were|has|have|is|are|will|would)(?: ?not|n.t) (?:yet )?(?:be |been |reach|able to )?"
    r"(?:deliver|sent|reach|accept|forward|transmit|process|send)",
    r"un(?:able|successful) (?:to |in )?(?:deliver|send|relay|forward|transmit|reach|contact|complete|find|connect)",
    r"(?:fail|error|problem|unable|trouble|impossible)\w*(?: (?:to|in|while|when|during|with|of|on|at))?(?: the)? "
    r"(?:deliver|send|relay|transmi)",
    r"deliver\w*(?: \w+){0,6} (?:fail|error|imposs|refus|reject|problem|abort|cancel|stopp|unsuccess|"
    r"temporarily suspended)",
    r"fail\w* (?:address|recipient|deliver|permanent|mail|to deliver|message)",
    r"(?:mail|message|transport|transmission|sending|send|smtp) (?:\w+ )?(?:fail|error|bounced|undeliver)",
    r"undeliver|nondeliver|non-deliver|not deliver|undelivr|unzustellbar|failure notice|bounced (?:mail|message|"
    r"back)",
    r"returned (?:mail|message|to (?:the )?sender|to you|undeliver)|returning (?:mail|message|to sender)",
    r"(?:permanent|fatal|delivery|transient)\w* (?:\w+ )?(?:error|failure)",
    r"(?:user|recipient|mailbox|address|account|domain|host)s?\W+(?:\S+ ){0,3}?(?:unknown|not found|does ?n.t exist|"
    r"does not exist|is invalid|is full|over quota|unavailable|is disabled|not listed|rejected|doesn.t have)",
    r"(?:unknown|invalid|no such|bad|nonexistent|non-existent|illegal|unrout\w+) (?:\w+ )?"
    r"(?:user|recipient|mailbox|address|account|domain|host)",
    r"(?:message|mail|e-mail|email)\w*(?: \S+){0,8} (?:was|were|been|is|has) (?:\w+ )?"
    r"(?:reject|refus|block|bounc|return|discard|quarantin|dropped|not deliver|not accept|undeliver)",
    r"(?:over|exceed\w*)(?: \w+){0,3} (?:quota|storage|limit)|quota (?:\w+ )?exceed|mailbox (?:is |"
    r"size )?(?:\w+ )?(?:full|exceed)",
    r"(?:message|mail|e-mail|delivery) (?:blocked|rejected|refused|bounced|not accepted|not delivered)",
    r"did ?n[o.']t reach|didn.t get through|no mailbox here|giving up on|given up|not able to (?:deliver|send)",
    r"(?:deliver|delever)\w*(?: \S+){0,6} (?:was|been|is) (?:aborted|cancel\w+|given up|unsuccessful|"
    r"impossible)|could(?: not|n.t) (?:find|establish|connect|open)|not like recipient|"
    r"notification\W+fail|(?:mail|deliver\w*) (?:problem|trouble)|requested (?:mail )?action (?:not taken|aborted)",
    r"not (?:a )?(?:\w+ )?(?:member|subscri\w+|authori[sz]ed|allowed|permitted)|may not exist|"
    r"permission to post|was (?:auto-)?discarded|virus\w*\W+(?:\S+ ){0,3}?(?:in (?:an? |your )?(?:(?:e-?)?mail|"
    r"message)|found|detected|alert)",
    r"reason for (?:the )?(?:failure|return|non)|remote (?:host|server|mta)\W+(?:\w+ ){0,3}(?:said|repl|respon|"
    r"reject)",
    r"(?:blocked|rejected|refused) (?:by|because|due|your|the|as)|retry time(?:out)? exceeded|expired",
    # German, Dutch, Scandinavian
    r"nicht (?:\S+ ){0,3}?zugestellt|zustell\S*(?: \S+){0,4} (?:fehl|nicht|unm)|nicht zustellbar|unzustellbar|"
    r"fehlgeschlagen",
    r"niet (?:\S+ ){0,3}?(?:af)?(?:ge)?(?:leverd|bezorgd|verzonden)|onbestelbaar|niet (?:te )?bezorg|niet afgeleverd",
    r"(?:kunde|kunne|kan) (?:inte|ikke|ej) (?:\S+ )?(?:lever|send|skick|nå)|olevererbar|ikke leveret|"
    r"ei voitu toimittaa|ei toimitettu",
    # Romance
    r"n'a(?:i)? pas (?:pu |été )(?:\S+ )?(?:être |à )?(?:remi|délivr|distribu|transmi|livr|envoy)|non remis|"
    r"non distribu",
    r"échec (?:de|d)|impossible (?:de|d')\s?(?:remettre|délivrer|distribuer|envoyer|livrer)|"
    r"boîte (?:\S+ ){0,3}?pleine|destinataire in",
    r"no (?:se )?(?:ha |pudo |puede |fue |ha sido )(?:\S+ ){0,3}?entrega|no entregad|imposible entregar|"
    r"error de entrega|fallo en la entrega",
    r"non (?:\S+ ){0,4}?(?:recapit|consegn)|mancat[oa] (?:recapito|consegna)|impossibile (?:recapitare|"
    r"consegnare|inviare)",
    r"n[ãa]o (?:\S+ ){0,4}?(?:entreg|enviad)|falha (?:na|de|no) (?:entrega|envio)|nu a putut fi (?:livrat|trimis)",
    # Slavic, Baltic, Hungarian, Greek, Turkish
    r"nie (?:\S+ ){0,4}?(?:dostarcz|doręcz)|niedostarcz|niedoręcz|nelze (?:\S+ )?doruč|nedoruč|"
    r"nemohla být doručena|nepodařilo se doručit",
    r"не (?:\S+ ){0,4}?(?:доставл|доставит|отправ)|недоставл|невозможн\S+ доставить|ошибка (?:при )?(?:доставк|"
    r"отправк)|не існує",
    r"kézbesíthetetlen|nem (?:\S+ ){0,3}?(?:kézbesít|továbbít)|nepristat|ni bilo mogoče|"
    r"nije (?:moguće )?(?:isporuč|dostav)",
    r"δεν (?:\S+ ){0,3}?παραδ|αδύνατη η παράδοση|teslim edilemedi|iletilemedi|gönderilemedi|livrarea a eșuat",
    # Asian
    r"配信(?:できま|不能|に失敗|エラー|されま)|配送(?:できま|不能|に失敗|エラー)|送信(?:できま|不能|に失敗|"
    r"エラー)|届(?:けられ|かなか|きません)|宛先不明",
    r"お届けできま|送れません|送ることができま|エラーメール|不達|配達(?:できま|され)|受信(?:できま|拒否)",
    r"退信|无法(?:投递|送达|发送|到达)|無法(?:投遞|送達|傳送|寄達|遞送)|投递失败|投遞失敗|(?:发送|發送|传送|"
    r"傳送|寄送)(?:失败|失敗)|未送达|被退回|拒收",
    r"반송|(?:전송|발송|배달|전달|수신)(?:\S* )?(?:실패|되지|할 수 없|오류)|보낼 수 없|không thể (?:gửi|chuyển)|"
    r"tidak (?:dapat|bisa) (?:di)?kirim",
    r"ไม่สามารถ|לא ניתן|תקלה במסירה|تعذر|فشل (?:في )?(?:التسليم|الإرسال|تسليم)",
)
_DELAYED = (
    r"(?:will|shall) (?:continue|keep|be retried|retry|try|attempt)(?: \w+){0,3} ?(?:try|retry|attempt|deliver|"
    r"send|for)",
    r"still (?:trying|being|be|undelivered|in the|queued)|not yet (?:been )?(?:be )?deliver|delayed|"
    r"delivery (?:is )?delay|"
    r"temporar\w+ (?:fail|problem|error|undeliver|delivery)|warning: (?:message|could|mail)|no action is required",
    r"(?:do(?:es)? not|don.t) need to (?:re-?send|do anything|take)|(?:retry|retried|retries|"
    r"tried again) (?:for|until|again|later)",
    r"verzögert|verspätet|retard[ée]|différ[ée]|retrasad|demora|in ritardo|vertraagd|försenat|forsinket|opóźn|"
    r"задерж|отложен",
    r"postponed|aplazad|遅延|遅れて|再送(?:を続|を試|いたします|します)|将(?:继续|继续尝试)|將繼續|稍后重试|"
    r"延迟|延遲|지연",
)
_FINAL = (
    r"giv(?:en|ing) up|gave up|no (?:further|more|other) (?:attempt|retr|deliver)|permanent|fatal|"
    r"could not be delivered|"
    r"will not (?:be )?(?:retr|try|attempt|continue)|has been (?:returned|cancel|remov|delet|abandon)|"
    r"undeliverable|has failed|failed permanently|"
    r"retry time(?:out)? exceeded|expired|too long|cannot be delivered|did not reach"
)
_AUTOMATIC = (
    r"mailer[-_. ]?daemon|post[-_. ]?master|mail[-_. ]?(?:er)?(?:[-_. ]?)(?:delivery|administrator|admin|daemon|"
    r"system|router|server|gateway|"
    r"filter|security|sweeper|marshal|robot|agent|returned|bounce)|delivery (?:sub)?system|\bdaemon\b|mdaemon|"
    r"^\s*<>|system administrator|"
    r"\bbounces?\b|delivery|non-?delivery|microsoft exchange|smtp|administrator@|admin@|abuse@|virus|spam|"
    r"no-?reply|do-?not-?reply|"
    r"\broot@|listserv|majordomo|postoffice|courier|uucp|mta\b|internet mail|mxlogic|mcafee|barracuda|scanmail|"
    r"interscan|mail-?er\b|"
    r"autoanswer|mail@|notification|mailsweeper|surfcontrol|returned"
)

FAILED = Sign("(?i)" + "|".join(f"(?:{part})" for part in _FAILED))
DELAYED = Sign("(?i)" + "|".join(f"(?:{part})" for part in _DELAYED))
FINAL = Sign("(?i)" + _FINAL)
AUTOMATIC = Sign("(?i)" + _AUTOMATIC)
#: A person's answer, or what a person passes on.
ANSWER = re.compile(r"\s*(?:re|aw|sv|antw?|vs|odp|fwd?|wg|tr|rv|enc|i)\s*(?:\[\d+\])?\s*:", re.I)
