"""Words by which automatic replies give themselves away, by language, folded (NFKC, case) for comparing.

Tables only: what a hit weighs is said where it is asked for. A new language is a new line; `|` parts phrases.
"""

import re
from collections.abc import Callable, Mapping

from bounced.patterns import Pattern
from bounced.readers._charset import fold

Table = Mapping[str, tuple[str, ...]]


def _table(lines: Mapping[str, str]) -> Table:
    return {language: tuple(phrases.split("|")) for language, phrases in lines.items()}


#: What stands where a responder names itself: a subject "Automatic reply: ...", or a body that says so.
AUTOMATIC = _table(
    {
        "en": (
            "automatic reply|automatic response|automatic answer|automated reply|automated response|"
            "auto reply|auto-reply|autoreply|auto response|auto-response|autorespons|auto responder|"
            "auto-responder|autoresponder|auto-answer|out of office|out-of-office|out of office autoreply|"
            "out of office auto-reply|out of office automatic reply|out of office reply|"
            "out of office response|out of office notification|out of office message|vacation reply|"
            "vacation response|vacation notice|vacation message|vacation auto|away message|absence notice|"
            "absence notification"
        ),
        "fr": "réponse automatique|reponse automatique|message d'absence|absence du bureau|avis d'absence",
        "de": (
            "automatische antwort|automatische rückantwort|automatische benachrichtigung|"
            "automatische e-mail-antwort|automatische rückmeldung|abwesenheitsnotiz|abwesenheitsnachricht|"
            "abwesenheitsmeldung|abwesenheitsmitteilung|abwesenheitsassistent|urlaubsnotiz|"
            "eingangsbestätigung"
        ),
        "es": (
            "respuesta automática|respuesta automatica|respuesta autom|contestación automática|"
            "mensaje automático|fuera de la oficina|fuera de oficina"
        ),
        "ca": "resposta automàtica",
        "pt": ("resposta automática|resposta automatica|mensagem automática|fora do escritório|ausência temporária"),
        "it": "risposta automatica|messaggio automatico|risponditore automatico|fuori sede|fuori ufficio",
        "nl": "automatisch antwoord|automatische beantwoording|afwezigheidsbericht|afwezigheidsassistent",
        "fi": "automaattinen vastaus|automaattivastaus|poissaoloilmoitus|poissa toimistosta",
        "sv": "autosvar|automatiskt svar|frånvaromeddelande|frånvarobesked",
        "da": "autosvar|automatisk svar|fraværsbesked|fraværsmeddelelse",
        "no": "automatisk svar|autosvar|fraværsmelding|fraværsassistent",
        "is": "sjálfvirkt svar",
        "pl": "odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|poza biurem",
        "cs": "automatická odpověď|automaticka odpoved|mimo kancelář|nepřítomnost",
        "sk": "automatická odpoveď|mimo kancelárie|neprítomnosť",
        "hu": "automatikus válasz|házon kívül",
        "ro": "răspuns automat|raspuns automat|în afara biroului",
        "bg": "автоматичен отговор",
        "hr": "automatski odgovor|odsutan iz ureda",
        "sl": "samodejni odgovor|avtomatski odgovor",
        "et": "automaatvastus|automaatne vastus",
        "lv": "automātiskā atbilde",
        "lt": "automatinis atsakymas",
        "ru": "автоответ|автоматический ответ|автоматическое уведомление|вне офиса",
        "uk": "автоматична відповідь|автовідповідь",
        "tr": "otomatik yanıt|otomatik cevap|ofis dışında|ofis dışı",
        "el": "αυτόματη απάντηση|εκτός γραφείου",
        "he": "מענה אוטומטי|תשובה אוטומטית|מחוץ למשרד",
        "ar": "رد تلقائي|الرد التلقائي|خارج المكتب",
        "fa": "پاسخ خودکار",
        "hi": "स्वचालित उत्तर|स्वतः उत्तर",
        "th": "ตอบกลับอัตโนมัติ|การตอบกลับอัตโนมัติ|ไม่อยู่ที่สำนักงาน",
        "vi": "trả lời tự động|thư trả lời tự động",
        "id": "balasan otomatis|jawaban otomatis|di luar kantor",
        "ms": "balasan automatik",
        "ja": "自動返信|自動応答|不在通知|不在のお知らせ|不在連絡",
        "ko": "자동 응답|자동응답|자동 회신|자동회신|부재중|부재 중",
        "zh": "自动回复|自動回覆|自動回復|自动答复|自動答覆|自动应答|外出自动|不在办公室|不在辦公室",
    }
)

#: What people write about being away, in a subject or in the first lines.
AWAY = _table(
    {
        "en": (
            "out of the office|out of office|away from my mail|away from my e-mail|away from my email|"
            "away from the office|away from my desk|will not be reading my mail|on vacation|on holiday|"
            "on annual leave|on leave until|on leave from|currently on leave|maternity leave|paternity leave|"
            "parental leave|sick leave|sabbatical|i am currently away|i'm currently away|i am away until|"
            "i am away from|limited access to email|limited access to e-mail|limited access to my email|"
            "no access to email|no access to e-mail|intermittent access to email|when i return|upon my return|"
            "thank you for contacting|thanks for contacting|thank you for your email|"
            "thank you for your e-mail|thank you for your message|we have received your|has been received and|"
            "this is an automated|this is an automatic|automatically generated|this mailbox is not monitored|"
            "this inbox is not monitored|unattended mailbox"
        ),
        "fr": (
            "je suis absent|je serai absent|actuellement absent|absent du bureau|absente du bureau|en congé|"
            "en vacances|de retour le|nous avons bien reçu votre|j'ai bien reçu votre|"
            "ceci est une réponse automatique|ceci est un message automatique"
        ),
        "de": (
            "nicht im büro|ausser haus|außer haus|im urlaub|ich bin abwesend|zurzeit abwesend|"
            "derzeit abwesend|bin ich nicht erreichbar|nicht erreichbar|in elternzeit|"
            "ihre e-mail wird nicht weitergeleitet|wird nicht automatisch weitergeleitet|"
            "vielen dank für ihre e-mail|vielen dank für ihre nachricht|automatisch generiert|"
            "automatisch erstellt|wieder für sie da"
        ),
        "es": (
            "de vacaciones|estoy fuera|estaré fuera|estaré ausente|me encuentro ausente|me encuentro fuera|"
            "gracias por contactar|hemos recibido su|este es un mensaje automático"
        ),
        "pt": ("de férias|em férias|estou ausente|estarei ausente|fora do escritório|recebemos a sua|recebemos sua"),
        "it": ("in ferie|sono assente|sarò assente|sono fuori sede|assente dall'ufficio|grazie per averci contattato"),
        "nl": "afwezig|met vakantie|op vakantie|niet op kantoor|bedankt voor uw e-mail|buiten kantoor",
        "fi": "olen lomalla|olen poissa|vuosilomalla|poissa toimistosta",
        "sv": (
            "är på semester|är bortrest|är på tjänsteresa|frånvarande|föräldraledig|är inte på kontoret|"
            "tack för ditt mail|tack för ditt mejl"
        ),
        "da": "ikke til stede|på ferie|holder ferie|ikke på kontoret|tak for din mail|på barsel",
        "no": "på ferie|ikke på kontoret|ikke til stede|er bortreist|i permisjon|takk for din e-post",
        "pl": "jestem na urlopie|przebywam na urlopie|nieobecny|nieobecna|poza biurem|dziękuję za wiadomość",
        "cs": "jsem mimo kancelář|čerpám dovolenou|na dovolené|nejsem přítom|děkuji za váš e-mail",
        "sk": "na dovolenke|mimo kancelárie|nie som prítom",
        "hu": "szabadságon|házon kívül|nem vagyok az irodában|irodán kívül",
        "ro": "în concediu|in concediu|nu sunt la birou",
        "ru": (
            "в отпуске|меня нет в офисе|буду отсутствовать|отсутствую|вне офиса|ваше письмо получено|в командировке"
        ),
        "uk": "у відпустці|відсутній|відсутня",
        "bg": "в отпуск|извън офиса",
        "tr": "izindeyim|izinde|ofis dışındayım|ofiste değilim|tatildeyim",
        "el": "είμαι εκτός γραφείου|σε άδεια|απουσιάζω",
        "he": "אני בחופשה|לא נמצא במשרד|מחוץ למשרד",
        "ar": "في إجازة|خارج المكتب",
        "hi": "कार्यालय से बाहर|छुट्टी पर",
        "th": "ลาพักร้อน|ไม่อยู่ที่สำนักงาน|ไม่อยู่สำนักงาน",
        "vi": "đang nghỉ phép|không có mặt tại văn phòng|vắng mặt",
        "id": "sedang cuti|di luar kantor|tidak berada di kantor",
        "ja": "不在|休暇|出張中|外出中|お問い合わせありがとう|自動送信|自動的に送信",
        "ko": "부재중|휴가 중|휴가중|출장 중|출장중|자리를 비",
        "zh": "休假|外出|出差|不在办公室|不在辦公室|您的来信|您的邮件已收到|已收到您的",
    }
)

#: The person left the organisation, or the mailbox is no longer read. A hint, never a ground to suppress.
LEFT = _table(
    {
        "en": (
            "no longer with|no longer work|no longer employed|no longer an employee|no longer at |"
            "no longer part of|has left the company|have left the company|has left our|have left our|"
            "has left the organi|left the business|have now left|has now left|has retired|have retired|"
            "is no longer in use|is no longer active|is no longer monitored|is no longer valid|"
            "is no longer available|is not monitored|is not in use"
        ),
        "fr": (
            "ne travaille plus|ne fait plus partie|ne fais plus partie|a quitté|ai quitté|n'est plus utilisée|"
            "n'est plus active|n'est plus valide|parti à la retraite"
        ),
        "de": (
            "nicht mehr im unternehmen|nicht mehr bei|nicht mehr für|nicht mehr in unserem|"
            "hat das unternehmen verlassen|habe das unternehmen verlassen|ausgeschieden|nicht mehr verwendet|"
            "nicht mehr genutzt|nicht mehr aktiv|im ruhestand"
        ),
        "es": "ya no trabaja|ya no trabajo|ya no forma parte|ya no pertenece|ya no labora|ya no está en uso",
        "pt": "não trabalha mais|já não trabalha|não faz mais parte|deixou a empresa",
        "it": ("non lavora più|non lavoro più|non fa più parte|ha lasciato l'azienda|non è più attiv|non è più in uso"),
        "nl": "uit dienst|niet meer werkzaam|werkt niet meer|niet meer in gebruik",
        "fi": "ei ole enää|en ole enää|ei enää työskentele",
        "sv": "arbetar inte längre|jobbar inte längre|har slutat",
        "da": "er ikke længere ansat|arbejder ikke længere|er fratrådt|er stoppet hos",
        "no": "er ikke lenger ansatt|jobber ikke lenger|har sluttet",
        "pl": "już nie pracuje|nie pracuje już|nie jest już pracownikiem",
        "cs": "již nepracuje|již není zaměstnan|už nepracuje",
        "hu": "már nem dolgozik",
        "ru": "больше не работает|уже не работает|уволился|уволилась",
        "tr": "artık çalışmamaktadır|artık çalışmıyor|ayrılmıştır",
        "ja": "退職|退社いたしました|退社しました",
        "ko": "퇴사|퇴직",
        "zh": "已离职|已離職|已经离职|已經離職|不再使用",
    }
)

#: The address has changed: a hint for a person, for a forged one would send mail astray.
MOVED = _table(
    {
        "en": (
            "my new email address|my new e-mail address|new email address is|new e-mail address is|"
            "email address has changed|e-mail address has changed|changed my email|changed my e-mail|"
            "changed email address|changed e-mail address|update your address book|update your contacts|"
            "update your records|my email has changed|can now be reached at"
        ),
        "fr": (
            "nouvelle adresse e-mail|nouvelle adresse email|nouvelle adresse mail|"
            "nouvelle adresse électronique|changé d'adresse"
        ),
        "de": (
            "neue e-mail-adresse|neue e-mail adresse|neue emailadresse|neue mailadresse|neue mail-adresse|"
            "e-mail-adresse hat sich geändert|adresse hat sich geändert"
        ),
        "es": ("nueva dirección de correo|nuevo correo electrónico|cambiado de dirección|nueva dirección de email"),
        "pt": "novo endereço de e-mail|novo endereço de email|novo e-mail é|meu novo e-mail",
        "it": "nuovo indirizzo e-mail|nuovo indirizzo email|nuovo indirizzo di posta|cambiato indirizzo",
        "nl": "nieuwe e-mailadres|nieuw e-mailadres|nieuwe mailadres|e-mailadres is gewijzigd",
        "fi": "uusi sähköpostiosoite",
        "sv": "ny e-postadress|ny mailadress|nya e-postadress",
        "da": "ny e-mailadresse|ny mailadresse",
        "no": "ny e-postadresse|ny mailadresse",
        "pl": "nowy adres e-mail|nowy adres mail|adres e-mail uległ zmianie|zmienił się mój adres",
        "cs": "nová e-mailová adresa|novou e-mailovou adresu|nový e-mail",
        "ru": "новый адрес электронной почты|новый e-mail|мой новый адрес|адрес изменился",
        "tr": "yeni e-posta adres",
        "ja": "新しいメールアドレス|メールアドレスが変わりました|アドレスを変更しました|アドレス変更",
        "ko": "새 이메일 주소|이메일 주소가 변경",
        "zh": "新邮箱|新的邮箱|新電郵|邮箱已更换|郵箱已更換|新的電子郵件",
    }
)


def finder(*tables: Table) -> Callable[[str], str | None]:
    """Return a search for any phrase of the tables in folded text: the phrase found first, or None. Linear time."""
    phrases = {fold(phrase) for table in tables for line in table.values() for phrase in line}
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    pattern = Pattern("|".join(map(re.escape, longest_first)), groups=False)

    def find(text: str) -> str | None:
        match = pattern.search(text)
        return match.group() if match else None

    return find
